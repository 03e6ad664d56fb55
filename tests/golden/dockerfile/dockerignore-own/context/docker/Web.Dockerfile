FROM test
COPY . /all/
