def squares(numbers):
    return [
        number * number
        for number in numbers
        if number % 2
    ]


def pairs(left, right):
    return {(a, b) for a in left for b in right if a != b}


def table(rows):
    return {
        key: [value for value in values if value]
        for key, values in rows.items()
    }


def any_big(numbers):
    return any(number > 10 for number in numbers)


def nested(grid):
    return [[cell + 1 for cell in row] for row in grid]


def main():
    big = any_big([1, 20]) or any_big([])
    ordered = sorted([3, 1, 2], key=lambda value: -value)
    return squares(range(5)), pairs([1, 2], [2]), table({"a": [0, 1]}), big, nested([[1]]), ordered
