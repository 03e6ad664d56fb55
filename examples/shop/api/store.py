"""Where the shop keeps its things: PostgreSQL, with Redis in front of it as a cache."""

import json
import os
from contextlib import contextmanager

import psycopg2
import psycopg2.extras
import psycopg2.pool
import redis

CACHE_SECONDS = 5


def database_settings():
    with open(os.environ["DATABASE_PASSWORD_FILE"], encoding="utf-8") as file:
        password = file.read().strip()
    return {
        "host": os.environ["DATABASE_HOST"],
        "dbname": os.environ["DATABASE_NAME"],
        "user": os.environ["DATABASE_USER"],
        "password": password,
        "connect_timeout": 5,
    }


class Store:
    def __init__(self):
        self._pool = psycopg2.pool.ThreadedConnectionPool(1, 16, **database_settings())
        self._cache = redis.Redis(host=os.environ["CACHE_HOST"], socket_timeout=2)

    @contextmanager
    def _transaction(self):
        connection = self._pool.getconn()
        try:
            with connection, connection.cursor(
                cursor_factory=psycopg2.extras.RealDictCursor
            ) as cursor:
                yield cursor
        finally:
            # A connection that the server has closed is not handed out again.
            self._pool.putconn(connection, close=bool(connection.closed))

    def check(self):
        """Raises when one of the two stores does not answer."""
        with self._transaction() as cursor:
            cursor.execute("SELECT 1")
        self._cache.ping()

    def products(self):
        """The products and where they were read from: "cache" or "PostgreSQL"."""
        cached = self._cache.get("products")
        if cached is not None:
            return json.loads(cached), "cache"
        with self._transaction() as cursor:
            cursor.execute("SELECT id, name, price_cents, stock FROM products ORDER BY id")
            products = [dict(row) for row in cursor.fetchall()]
            cursor.execute("SELECT split_part(version(), ' on ', 1) AS version")
            version = cursor.fetchone()["version"]
        self._cache.set("products", json.dumps(products), ex=CACHE_SECONDS)
        return products, version

    def order(self, product, quantity):
        """Takes `quantity` from the stock; the order's number, or None when there is too little."""
        with self._transaction() as cursor:
            cursor.execute(
                "UPDATE products SET stock = stock - %s WHERE id = %s AND stock >= %s",
                (quantity, product, quantity),
            )
            if cursor.rowcount == 0:
                return None
            cursor.execute(
                "INSERT INTO orders (product_id, quantity) VALUES (%s, %s) RETURNING id",
                (product, quantity),
            )
            number = cursor.fetchone()["id"]
        self._cache.delete("products")
        return number
