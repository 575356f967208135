"""Loads a graph into an embedded graph database and answers queries.

Standard input has one statement a line. The answer of each that begins with MATCH is printed as a line of JSON.
"""

import json
import sys

import ladybug

connection = ladybug.Connection(ladybug.Database(":memory:"))
for statement in sys.stdin:
    result = connection.execute(statement)
    if statement.startswith("MATCH"):
        rows = []
        while result.has_next():
            rows.append(result.get_next())
        print(json.dumps(rows))
