CREATE TABLE products (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text    NOT NULL UNIQUE,
  price_cents integer NOT NULL CHECK (price_cents >= 0),
  stock       integer NOT NULL CHECK (stock >= 0)
);

INSERT INTO products (name, price_cents, stock) VALUES
  ('kettle',   2900, 12),
  ('teapot',   3450,  7),
  ('tea cup',   650, 96);
