log = []


def read(key, table):
    try:
        value = table[key]
    except KeyError as error:
        log.append(str(error))
        return None
    except (TypeError, ValueError):
        log.append("type")
        raise
    else:
        log.append("found")
    finally:
        log.append("end")
    return value


def nested(number):
    try:
        try:
            return 10 // number
        finally:
            log.append("inner")
    except ZeroDivisionError:
        return -1


def looping(items):
    result = []
    for item in items:
        try:
            if item < 0:
                break
            if item == 0:
                continue
            result.append(item)
        finally:
            log.append(item)
    return result


def cleanup():
    try:
        raise RuntimeError("x")
    except RuntimeError as error:
        del error
    try:
        pass
    finally:
        log.append("done")


def main():
    try:
        read([], {})
    except TypeError:
        log.append("again")
    cleanup()
    return read("a", {"a": 1}), read("b", {}), nested(2), nested(0), looping([1, 0, 2, -1, 5])
