"""Words as both backends of search have them: letters and digits, told apart by everything else.

PostgreSQL's parser takes `10.0.0.7`, `a/b` and `<b>` for words of their own kinds. With blanks in the place of ASCII's
punctuation its words are those of `domain.queries.folded`, and the same query finds the same rows everywhere.
"""

from alembic import op

revision = "0024"
down_revision = "0023"

PUNCTUATION = r"""!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~"""
"""As an SQL text has it."""
BLANKS = " " * (len(PUNCTUATION) - 1)
BEFORE = """
DROP INDEX ix_vulnerabilities_words;
DROP FUNCTION purple_words(text, text, text, text, text, text[]);
"""
WORDS = f"""
CREATE FUNCTION purple_words(
    title text, description text, host text, url text, parameter text, weakness text, cve text[])
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('simple'::regconfig, translate(
    title || ' ' || description || ' ' || host || ' ' || url || ' ' || parameter || ' ' || weakness || ' ' ||
    coalesce(array_to_string(cve, ' '), ''), '{PUNCTUATION}', '{BLANKS}'))
$$;
CREATE INDEX ix_vulnerabilities_words ON vulnerabilities
  USING gin (purple_words(title, description, host, url, parameter, weakness, cve));
"""


def upgrade() -> None:
    """The function and its index anew."""
    op.execute(BEFORE)
    op.execute(WORDS)
