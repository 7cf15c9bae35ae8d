"""Words, text, JSON and legality of microkernels against the reference encoders' output."""

from __future__ import annotations

import random

import pytest

from hcc.isa.errors import FormatError
from hcc.isa.pim import (
    EXIT,
    NOP,
    Dialect,
    File,
    Instruction,
    Op,
    Operand,
    Rule,
    check,
    decode,
    encode,
    format_instruction,
    parse,
    parse_instruction,
)
from hcc.isa.pim.configuration import BankMode, message, parse_message

from .golden import golden

MAC_TEXT = "MAC GRF_B[0], GRF_A[0], EVEN_BANK, auto"


def operand(fields: dict[str, int | str], name: str, index: str) -> Operand:
    return Operand(File[str(fields[name])], int(fields[index]))


def from_fields(fields: dict[str, int | str]) -> Instruction:
    """The instruction that a golden entry describes field by field."""
    op = Op[str(fields["op"])]
    if op is Op.JUMP:
        back = int(fields["loop_offset"])
        return Instruction(op, count=int(fields["loop_counter"]), offset=1 - back)
    if op is Op.NOP:
        return Instruction(op, count=int(fields["loop_counter"]))
    if op is Op.EXIT:
        return EXIT
    dst, src0 = operand(fields, "dst", "dst_idx"), operand(fields, "src0", "src0_idx")
    if op in (Op.MOV, Op.FILL):
        return Instruction(op, dst, src0, relu=bool(fields["relu"]))
    src2 = operand(fields, "src2", "src1_idx") if op is Op.MAD else None
    src1 = operand(fields, "src1", "src1_idx")
    return Instruction(op, dst, src0, src1, src2, aam=bool(fields["aam"]))


def test_golden_fields_encode_to_their_words() -> None:
    wrong = [
        (entry["asm"], entry["hex"])
        for entry in golden()["encodings"]
        if int(entry["hex"], 16) != encode(from_fields(entry))
    ]

    assert [] == wrong


def test_golden_words_print_as_the_reference_prints_them() -> None:
    entries = golden()["encodings"] + [e for k in golden()["samsung_kernels"] for e in k["crf"]]
    printed = [format_instruction(decode(int(entry["hex"], 16))) for entry in entries]

    assert [entry["asm"].strip() for entry in entries] == printed


def test_exact_text_assembles_to_the_same_word() -> None:
    for entry in golden()["encodings"]:
        word = int(entry["hex"], 16)

        assert word == encode(parse_instruction(format_instruction(decode(word), bank_index=True)))


def test_golden_kernels_assemble() -> None:
    for kernel in golden()["samsung_kernels"]:
        text = "\n".join(entry["asm"] for entry in kernel["crf"])
        words = [encode(line.instruction) for line in parse(text)]

        assert [int(entry["hex"], 16) for entry in kernel["crf"]] == words


def test_thesis_kernel_is_legal_and_encodes_as_published() -> None:
    lines = parse("\n".join(golden()["thesis_gemv"]["asm"]))
    program = [line.instruction for line in lines]
    published = next(
        k for k in golden()["samsung_kernels"] if k["kernel"].startswith("thesis GEMV")
    )
    words = [int(entry["hex"], 16) for entry in published["crf"]]
    fill = program.pop(10)

    assert Instruction(Op.FILL, Operand(File.EVEN_BANK), Operand(File.GRF_B)) == fill
    assert words == [encode(instruction) for instruction in program]
    assert [] == check([*program[:10], fill, EXIT], Dialect.PIMSYS)


def test_json_messages_are_written_as_pimsys_writes_them() -> None:
    for cases in golden()["pimsys_functional"].values():
        for case in cases:
            for text in (case["config_json"], case["mode_json"]):
                said = parse_message(text)

                assert text == message(said.bank_mode, said.kernel)
    assert BankMode.PIM_ALL_BANK is parse_message('{"bank_mode":"PimAllBank"}').bank_mode


@pytest.mark.parametrize("mode", ['["AllBank"]', '{"AllBank": 1}', "1", '"All"'])
def test_bank_modes_that_are_none_are_refused(mode: str) -> None:
    with pytest.raises(FormatError, match="no bank mode is called"):
        parse_message(f'{{"bank_mode": {mode}}}')


def random_instruction(rng: random.Random) -> Instruction:
    op = rng.choice(list(Op))
    if op is Op.JUMP:
        return Instruction(op, count=rng.randrange(1 << 17), offset=1 - rng.randrange(1 << 11))
    if op is Op.NOP:
        return Instruction(op, count=rng.randrange(1 << 11))
    if op is Op.EXIT:
        return EXIT
    any_operand = [Operand(rng.choice(list(File)), rng.randrange(16)) for _ in range(3)]
    if op in (Op.MOV, Op.FILL):
        return Instruction(op, *any_operand[:2], relu=rng.random() < 0.5)
    src2 = Operand(rng.choice(list(File)), any_operand[2].index) if op is Op.MAD else None
    return Instruction(op, *any_operand, src2, aam=rng.random() < 0.5)


def test_random_instructions_survive_encoding_and_text() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(3000):
        instruction = random_instruction(rng)
        word = encode(instruction)

        assert instruction == decode(word)
        assert word == encode(parse_instruction(format_instruction(instruction, bank_index=True)))


@pytest.mark.parametrize("word", [0x50000000, 0xA0000000, 0x88800008, 0xF0000001, 0x08000000])
def test_words_no_encoder_makes_are_refused(word: int) -> None:
    with pytest.raises(FormatError, match=f"word {word:08x}"):
        decode(word)


@pytest.mark.parametrize(
    ("dialect", "text", "rule", "said"),
    [
        ("samsung", "MAC GRF_A[0], GRF_A[0], EVEN_BANK", Rule.OPERANDS, "GRF_A as its destination"),
        ("samsung", "ADD GRF_A[0], EVEN_BANK, ODD_BANK", Rule.OPERANDS, "names two banks"),
        ("samsung", "MUL GRF_A[0], SRF_M[0], GRF_A[1]", Rule.OPERANDS, "SRF_M as its first source"),
        ("samsung", "MOV EVEN_BANK, GRF_A[0]", Rule.OPERANDS, "cannot store to a bank"),
        ("samsung", "FILL ODD_BANK, GRF_B[0]", Rule.OPERANDS, "cannot store to a bank"),
        ("samsung", "MOV GRF_A[0], SRF_M[0]", Rule.OPERANDS, "SRF_M as its first source"),
        ("samsung", "MUL GRF_A[0], GRF_A[1], SRF_M[8]", Rule.INDEX, "registers 0 to 7, not 8"),
        ("samsung", "ADD GRF_A[0], GRF_B[1], EVEN_BANK, relu", Rule.RELU, "ADD has no ReLU"),
        ("samsung", "MOV GRF_A[0], EVEN_BANK, auto", Rule.AAM, "no auto-indexed form"),
        ("pimsys", "MOV BANK, GRF_A #0", Rule.OPERANDS, "FILL BANK, GRF does"),
        ("pimsys", "MOV GRF_A #0, ODD_BANK", Rule.OPERANDS, "one BANK operand"),
        ("pimsys", "FILL GRF_A #0, BANK, relu", Rule.RELU, "no ReLU"),
        ("pimsys", "MAC(AAM) GRF_B, GRF_A, BANK", Rule.AAM, "GRF_A as the second source"),
        ("pimsys", "ADD(AAM) GRF_A, BANK, GRF_A", Rule.AAM, "GRF_B as the destination"),
        ("pimsys", "NOP 8x", Rule.SLOTS, "NOP of 8 slots"),
        ("pimsys", "MAD GRF_A #0, BANK, GRF_A #1, GRF_B #1", Rule.ACCUMULATOR, "src2 must be dst"),
    ],
)
def test_operand_rules_are_named(dialect: str, text: str, rule: Rule, said: str) -> None:
    findings = check([parse_instruction(text), EXIT], Dialect(dialect))

    assert [rule] == [finding.rule for finding in findings]
    assert said in findings[0].message


@pytest.mark.parametrize(
    ("text", "rule", "at", "said"),
    [
        (f"{MAC_TEXT}\nJUMP 7x [PC - 3]\nEXIT", Rule.JUMP_TARGET, 1, "target -1"),
        (f"{MAC_TEXT}\nJUMP 7x [PC - 1]\nEXIT", Rule.JUMP_TARGET, 1, "goes back"),
        (f"{MAC_TEXT}\nJUMP 3, 7\nNOP\nNOP\nEXIT", Rule.JUMP_TARGET, 1, "goes back"),
        (
            f"{MAC_TEXT}\nJUMP 7x [PC - 2]\nNOP 8x\nJUMP 1x [PC - 4]\nEXIT",
            Rule.JUMP_NESTING, 3, "encloses the one from 0 to 1",
        ),
        (
            f"{MAC_TEXT}\nNOP\nJUMP 7x [PC - 2]\nNOP\nJUMP 1x [PC - 3]\nEXIT",
            Rule.JUMP_NESTING, 4, "overlaps",
        ),
        ("NOP\n" * 32 + "EXIT", Rule.CRF_LENGTH, 32, "33 instructions"),
        (MAC_TEXT, Rule.EXIT, None, "no EXIT"),
        (f"EXIT\n{MAC_TEXT}", Rule.UNREACHABLE, 1, "after the first EXIT"),
    ],
)  # fmt: skip
def test_program_rules_are_named(text: str, rule: Rule, at: int | None, said: str) -> None:
    findings = check([line.instruction for line in parse(text)], Dialect.SAMSUNG)

    assert [(rule, at)] == [(finding.rule, finding.at) for finding in findings]
    assert said in findings[0].message


def test_loops_one_after_the_other_are_legal() -> None:
    kernel = next(
        k for k in golden()["samsung_kernels"] if k["kernel"].startswith("GEMV 4096x4096")
    )

    assert [] == check([decode(int(e["hex"], 16)) for e in kernel["crf"]], Dialect.SAMSUNG)


def test_tree_kernel_of_the_reference_is_found_to_nest() -> None:
    kernel = next(k for k in golden()["samsung_kernels"] if k["kernel"].startswith("GEMVTREE"))
    findings = check([decode(int(e["hex"], 16)) for e in kernel["crf"]], Dialect.SAMSUNG)

    assert [Rule.JUMP_NESTING, Rule.JUMP_NESTING] == [finding.rule for finding in findings]


def test_padding_behind_exit_is_legal() -> None:
    assert [] == check([EXIT, NOP, NOP], Dialect.PIMSYS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ADD GRF_A[0], GRF_A[1]", "x.pim:1: ADD takes 3 operands, found 2"),
        ("NOP\n\nADDD GRF_A[0]", "x.pim:3: no instruction is called 'ADDD'"),
        ("MOV GRF_C[0], BANK", "x.pim:1: no operand is called 'GRF_C'"),
        ("MOV GRF_A[x], BANK", "x.pim:1: expected an operand, found 'GRF_A\\[X\\]'"),
        ("JUMP 7", "x.pim:1: a jump is written"),
        ("EXIT GRF_A", "x.pim:1: EXIT takes no operands"),
        (f"MOV GRF_A[{'9' * 5000}], BANK", "x.pim:1: expected an operand"),
        (f"JUMP {'9' * 5000}x [PC - 2]", "x.pim:1: a jump is written"),
        (f"JUMP -1, {'9' * 5000}", "x.pim:1: a jump is written"),
        (f"NOP {'9' * 5000}x", "x.pim:1: NOP takes no operands"),
    ],
)
def test_assembly_errors_name_file_and_line(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        parse(text, "x.pim")


def test_mad_with_two_indices_cannot_be_encoded() -> None:
    with pytest.raises(FormatError, match="one index field"):
        encode(parse_instruction("MAD GRF_A[0], EVEN_BANK, SRF_M[1], GRF_A[0]"))
