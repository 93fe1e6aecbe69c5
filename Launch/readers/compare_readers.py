"""Reads odd files with lstm-dist and with the libraries that people read them with, and compares the values.

lstm-dist trains one step on each file; what it read stands in metrics.jsonl (rows, classes) and in the checkpoint
(columns with mean and deviation, vocabulary). The same is computed from what pandas, NumPy, soundfile and conllu read.
Where the two differ on purpose, the case says why, and what lstm-dist does instead is checked.
"""

import argparse
import json
import math
import pathlib
import struct
import subprocess
import tempfile

import conllu
import numpy as np
import pandas as pd
import soundfile

ROWS = 30


class Refused(Exception):
    """lstm-dist ends with an error."""


def read(program, folder, arguments):
    """What lstm-dist read: the data record of the metrics, and the encoding of the checkpoint."""
    command = [program, "train", "--run", "run", "--steps", "1", "--set", "model.hidden=4"]
    command += ["--set", "batch.sequences=2"]
    for argument in arguments:
        command += ["--set", argument]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ended.returncode:
        raise Refused(ended.stderr.strip())
    record = json.loads((folder / "run/metrics.jsonl").read_text().splitlines()[1])
    state = next((folder / "run/checkpoints").glob("*/state.safetensors")).read_bytes()
    length = struct.unpack("<Q", state[:8])[0]
    begin, end = json.loads(state[8 : 8 + length])["vocabulary"]["data_offsets"]
    return record, json.loads(state[8 + length + begin : 8 + length + end]), ended.stdout


# What is compared: each gives the two sides as values that must be equal.


def numbers(record, encoding, output, frame):
    frame = frame.astype(float)
    close = lambda a, b: math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    means, deviations = frame.mean().tolist(), frame.std(ddof=0).tolist()
    normalization = encoding["normalization"]
    same = all(map(close, normalization["mean"], means)) and all(
        close(a, b) or b == 0 for a, b in zip(normalization["deviation"], deviations)
    )
    ours = (encoding["columns"], record["counts"][0]["training"], same)
    return ours, ([str(name) for name in frame.columns], len(frame), True)


def labelled(record, encoding, output, pairs, words_of=str.split):
    counts = {count["name"]: count["training"] for count in record["classes"]}
    words = {word for text, _ in pairs for word in words_of(text)}
    theirs = {}
    for _, label in pairs:
        theirs[label] = theirs.get(label, 0) + 1
    return (counts, set(encoding["vocabulary"]["entries"]) - {"<unk>"}), (theirs, words)


def tags(record, encoding, output, pairs):
    return labelled(record, encoding, output, pairs, words_of=lambda form: [form])


def sound(record, encoding, output, clips):
    longest = max(len(samples) for samples, _ in clips)
    rate = clips[0][1]
    window, hop = round(0.025 * rate), round(0.01 * rate)
    frames = 1 + math.ceil((longest - window) / hop)
    return (encoding["rate"], record["counts"][0]["training"], f"× {frames} steps" in output), (rate, len(clips), True)


# The cases.


def frame(make=lambda i: {"a": i, "b": i * 0.5 + 0.1}, rows=ROWS):
    return pd.DataFrame([make(i) for i in range(rows)])


FORECAST = ["task=forecasting", "batch.steps=2", "data.validation=0"]
TEXTS = ["task=classification", "data.validation=0"]


def table(name, text, *settings, file="t.csv", read=None, differs=None, **options):
    def write(folder):
        (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())

    def theirs(folder):
        return (read or (lambda path: pd.read_csv(path, **options)))(folder / file)

    return name, write, [*FORECAST, f"data.path={file}", *settings], theirs, numbers, differs


def array(name, values, differs=None, columns=None):
    def write(folder):
        np.save(folder / "x.npy", values, allow_pickle=True)

    def theirs(folder):
        return pd.DataFrame(np.atleast_2d(np.load(folder / "x.npy").T).T)

    return name, write, [*FORECAST, "data.path=x.npy"], theirs, numbers, differs


def texts(name, data, *settings, file="t.csv", read, differs=None):
    def write(folder):
        data.to_csv(folder / file, index=False, **read)

    def theirs(folder):
        got = pd.read_csv(folder / file, keep_default_na=False, **read)
        return list(zip(got["text"].astype(str), got["label"].astype(str)))

    return name, write, [*TEXTS, f"data.path={file}", *settings], theirs, labelled, differs


def tagged(name, text):
    def write(folder):
        (folder / "t.conllu").write_text(text)

    def theirs(folder):
        sentences = conllu.parse((folder / "t.conllu").read_text())
        return [
            (token["form"], token["upos"]) for tokens in sentences for token in tokens if isinstance(token["id"], int)
        ]

    return name, write, ["task=tagging", "data.validation=0", "data.path=t.conllu"], theirs, tags, None


def audio(name, suffix, subtype, channels=1, rate=8000, differs=None):
    def write(folder):
        for label in "ab":
            (folder / "f" / label).mkdir(parents=True)
            for clip in range(2):
                t = np.arange(3000 + 500 * clip) / rate
                wave = 0.5 * np.sin(2 * np.pi * (300 if label == "a" else 600) * t)
                samples = np.stack([wave] * channels, axis=1)
                soundfile.write(folder / "f" / label / f"{clip}.{suffix}", samples, rate, subtype=subtype)

    def theirs(folder):
        return [soundfile.read(path) for path in sorted((folder / "f").glob(f"*/*.{suffix}"))]

    settings = [*TEXTS, "data.path=f", f"data.files={{class}}/*.{suffix}"]
    return name, write, settings, theirs, sound, differs


def cases():
    plain = frame().to_csv(index=False)
    odd = pd.DataFrame(
        {
            "text": [f'he said "hi, {i % 3}"' if i % 2 else f"plain\tor {i % 3}" for i in range(20)],
            "label": ["b" if i % 2 else "a" for i in range(20)],
        }
    )
    tabless = odd.assign(text=odd["text"].str.replace("\t", " "))
    sentence = "# text = the dog\n1-2\tthedog\t_\t_\t_\t_\t_\t_\t_\t_\n" + "".join(
        f"{i + 1}\t{word}\t_\t{tag}\t_\t_\t0\troot\t_\tSpaceAfter=No\n"
        for i, (word, tag) in enumerate([("the", "DET"), ("New York", "PROPN"), ("dog", "NOUN")])
    )
    whole = np.arange(60).reshape(30, 2)
    yield table("plain", plain)
    yield table("byte order mark", "\ufeff" + plain)
    yield table("CRLF", plain.replace("\n", "\r\n"))
    yield table("no line feed at the end", plain.rstrip("\n"))
    yield table("index of pandas", frame().to_csv(), index_col=0)
    yield table("semicolons", frame().to_csv(sep=";", index=False), sep=";")
    yield table("semicolons and decimal commas", frame().to_csv(sep=";", decimal=",", index=False), sep=";", decimal=",")
    yield table("tabs", frame().to_csv(sep="\t", index=False), file="t.tsv", sep="\t")
    yield table("tabs, suffix in capitals", frame().to_csv(sep="\t", index=False), file="t.TSV", sep="\t")
    yield table("bars", frame().to_csv(sep="|", index=False), sep="|")
    yield table("blanks", frame().to_string(index=False) + "\n", file="t.txt", sep=r"\s+")
    yield table("quotes around everything", frame().to_csv(index=False, quoting=1))
    yield table("names with commas and quotes", frame(lambda i: {'a, "x"': i, "b": 2}).to_csv(index=False))
    yield table("no header", frame().to_csv(index=False, header=False), "data.header=none", header=None)
    yield table("comments", "# by hand\n" + plain, comment="#")
    yield table("thousands", frame(lambda i: {"a": f"1,23{i % 10}.5", "b": 1}).to_csv(index=False),
                "data.thousands=comma", thousands=",")
    yield table("points between thousands", frame(lambda i: {"a": f"1.23{i % 10},5", "b": 1}).to_csv(sep=";", index=False),
                "data.thousands=point", sep=";", thousands=".", decimal=",")
    yield table("exponents", frame(lambda i: {"a": f"{i}e-3", "b": f"{i}E+05"}).to_csv(index=False))
    yield table("far from zero", frame(lambda i: {"a": 1_700_000_000 + 60 * i, "b": 123456789.25 + i}).to_csv(index=False))
    yield table("17 digits", frame(lambda i: {"a": math.pi * 10**i, "b": 1 / (i + 3)}).to_csv(index=False))
    yield table("blank lines", plain.replace("\n", "\n\n"))
    yield table("holes filled from above", plain.replace("\n7,3.6\n", "\n7,\n"), "data.missing=previous",
                read=lambda path: pd.read_csv(path).ffill())
    yield table("holes filled with the mean", plain.replace("\n7,3.6\n", "\n7,NA\n"), "data.missing=mean",
                read=lambda path: pd.read_csv(path).pipe(lambda f: f.fillna(f.mean())))
    yield table("a sum at the end", plain + "435,220.5\n", "data.footer=1", skipfooter=1, engine="python")
    yield table("header of two lines", "a,b\nm,s\n" + plain.split("\n", 1)[1], "data.header=2",
                read=lambda path: pd.read_csv(path, header=[0, 1]).set_axis(["a m", "b s"], axis=1))
    yield table("no header, not said", frame().to_csv(index=False, header=False),
                differs=("numbers for names", "pandas takes the first row for names"))
    yield table("two columns of one name", "v,v\n" + "1,2\n" * ROWS,
                differs=("column named twice", "pandas calls the second v.1"))
    yield table("a short row", plain + "99\n", differs=("ragged table", "pandas fills it with NaN"))
    yield table("blank lines in one column", frame(lambda i: {"a": i}).to_csv(index=False).replace("\n7\n", "\n\n"),
                differs=("missing value", "pandas passes over them, and the clock shifts"))
    yield table("the header again", plain + plain,
                differs=("header repeated", "pandas makes a column of texts"))
    yield array("float64", whole.astype(np.float64) / 3)
    yield array("float32", whole.astype(np.float32) / np.float32(3))
    yield array("int64, big-endian", whole.astype(">i8") + 1_700_000_000)
    yield array("uint8, one dimension", np.arange(30, dtype=np.uint8))
    yield array("Fortran order", np.asfortranarray(whole.astype(np.int32)))
    yield array("truth values", whole % 3 == 0)
    yield array("objects", np.array([{}] * 30), differs=("Python objects", "NumPy unpickles them"))
    yield texts("texts, CSV", odd, read={"sep": ","})
    yield texts("texts, TSV with quotes", tabless, file="t.tsv", read={"sep": "\t"})
    yield texts("texts, semicolons", odd, read={"sep": ";"})
    yield tagged("CoNLL-U", (sentence + "\n") * 8)
    yield audio("WAV, 16 bits", "wav", "PCM_16")
    yield audio("WAV, 24 bits, two channels", "wav", "PCM_24", channels=2)
    yield audio("WAV, floats", "wav", "FLOAT", rate=16000)
    yield audio("FLAC", "flac", "PCM_16", rate=16000)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="lstm-dist")
    program = str(pathlib.Path(parser.parse_args().program).resolve())
    wrong = total = 0
    for name, write, arguments, theirs, compare, differs in cases():
        total += 1
        with tempfile.TemporaryDirectory() as path:
            folder = pathlib.Path(path)
            write(folder)
            try:
                got = read(program, folder, arguments)
                ours, expected = compare(*got, theirs(folder))
                verdict = "the same" if ours == expected and not differs else f"WRONG: {ours}, expected {expected}"
            except Refused as error:
                meant = differs and differs[0] in str(error)
                verdict = f"refused ({differs[0]}); {differs[1]}" if meant else f"WRONG: refused: {error}"
        wrong += verdict.startswith("WRONG")
        print(f"{name}: {verdict}")
    print(f"{total} files, {wrong} read otherwise than expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
