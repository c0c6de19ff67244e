import asyncio


async def fetch(key):
    await asyncio.sleep(0)
    if key < 0:
        raise LookupError(key)
    return key * 2


async def stream(limit):
    for number in range(limit):
        yield number
        await asyncio.sleep(0)


class Session:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return False


async def work():
    async with Session():
        results = await asyncio.gather(fetch(1), fetch(2))
    try:
        await fetch(-1)
    except LookupError:
        results.append(None)
    async for number in stream(3):
        if number == 1:
            continue
        results.append(number)
    return results + [n async for n in stream(2)]


def main():
    return asyncio.run(work())
