"""Brings the database to the newest schema: each file of /migrations once, in order of name."""

import pathlib

import psycopg2

from store import database_settings


def main():
    connection = psycopg2.connect(**database_settings())
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)")
    for path in sorted(pathlib.Path("/migrations").glob("*.sql")):
        with connection, connection.cursor() as cursor:  # one transaction a file
            cursor.execute(
                "INSERT INTO migrations (name) VALUES (%s) ON CONFLICT DO NOTHING", (path.name,)
            )
            if cursor.rowcount == 0:
                print(f"{path.name} has been applied before")
                continue
            cursor.execute(path.read_text(encoding="utf-8"))
            print(f"{path.name} applied")
    connection.close()


main()
