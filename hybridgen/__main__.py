"""``python -m hybridgen``."""

from hybridgen.cli.main import main

if __name__ == "__main__":
    main()
