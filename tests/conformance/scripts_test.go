package conformance_test

import (
	"math"
	"math/big"

	"github.com/plinthdb/plinth/kv/tuple"
)

// scripts are the programs with fixed results.
func scripts() (all []scripted) {
	for _, group := range [][]scripted{dataScripts(), tupleScripts(), databaseScripts(), directoryScripts()} {
		all = append(all, group...)
	}
	// Last, as they change options of the database.
	return append(all, scripted{name: "unit tests leave nothing behind", program: []any{op("UNIT_TESTS")}})
}

func dataScripts() []scripted {
	big70 := new(big.Int).Lsh(big.NewInt(1), 70)
	return []scripted{
		{
			name:    "a duplicate keeps its instruction",
			program: []any{b("x"), op("DUP")},
			stack:   []logged{{0, b("x")}, {0, b("x")}},
		}, {
			name:    "swap takes its depth from the stack",
			program: []any{int64(1), int64(2), int64(3), int64(2), op("SWAP")},
			stack:   []logged{{2, int64(3)}, {1, int64(2)}, {0, int64(1)}},
		}, {
			name:    "pop and empty stack discard",
			program: []any{"a", "b", op("EMPTY_STACK"), "c", "d", op("POP")},
			stack:   []logged{{3, "c"}},
		}, {
			name:    "sub subtracts the second popped from the first",
			program: []any{int64(3), int64(10), op("SUB")},
			stack:   []logged{{2, int64(7)}},
		}, {
			name:    "sub knows large integers",
			program: []any{int64(-1), big70, op("SUB")},
			stack:   []logged{{2, new(big.Int).Add(big70, big.NewInt(1))}},
		}, {
			name:    "concat puts the first popped first",
			program: []any{b("world"), b("hello "), op("CONCAT"), "é", "caf", op("CONCAT")},
			stack:   []logged{{2, b("hello world")}, {5, "café"}},
		}, {
			name:    "waiting does not change the instruction",
			program: []any{b("k"), op("GET_DATABASE"), op("WAIT_FUTURE"), nil, op("WAIT_FUTURE")},
			stack:   []logged{{1, notPresent}, {3, nil}},
		},
	}
}

func tupleScripts() []scripted {
	incomplete := tuple.IncompleteVersionstamp(7)
	stamp12 := "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x07"
	return []scripted{
		{
			name:    "pack takes the top item as the first element",
			program: []any{b("z"), "a", nil, int64(3), op("TUPLE_PACK")},
			stack:   []logged{{4, b("\x00\x02a\x00\x01z\x00")}},
		}, {
			name:    "unpack pushes each element as a tuple of its own",
			program: []any{b("\x15\x05\x02a\x00"), op("TUPLE_UNPACK")},
			stack:   []logged{{1, b("\x15\x05")}, {1, b("\x02a\x00")}},
		}, {
			name:    "range is of all longer tuples",
			program: []any{int64(0), int64(1), op("TUPLE_RANGE")},
			stack:   []logged{{2, b("\x14\x00")}, {2, b("\x14\xff")}},
		}, {
			name:    "sort leaves the greatest on top",
			program: []any{b("\x15\x05"), b("\x13\xfe"), b("\x00"), int64(3), op("TUPLE_SORT")},
			stack:   []logged{{4, b("\x00")}, {4, b("\x13\xfe")}, {4, b("\x15\x05")}},
		}, {
			name:    "floats are big-endian bits",
			program: []any{b("\xc0\x20\x00\x00"), op("ENCODE_FLOAT"), b("\x3f\xf8\x00\x00\x00\x00\x00\x00"), op("ENCODE_DOUBLE")},
			stack:   []logged{{1, float32(-2.5)}, {3, 1.5}},
		}, {
			name:    "floats become big-endian bits",
			program: []any{float32(-2.5), op("DECODE_FLOAT"), math.Inf(-1), op("DECODE_DOUBLE")},
			stack:   []logged{{1, b("\xc0\x20\x00\x00")}, {3, b("\xff\xf0\x00\x00\x00\x00\x00\x00")}},
		}, {
			name:    "a tuple without an incomplete stamp is none to pack with",
			program: []any{"a", int64(1), b("prefix"), op("TUPLE_PACK_WITH_VERSIONSTAMP")},
			stack:   []logged{{3, b("ERROR: NONE")}},
		}, {
			name:    "one incomplete stamp gives the place of its first byte",
			program: []any{incomplete, "a", int64(2), b("pre"), op("TUPLE_PACK_WITH_VERSIONSTAMP")},
			// pre, 02 a 00, 33: the stamp begins at byte 7.
			stack: []logged{{4, b("OK")}, {4, b("pre\x02a\x00\x33" + stamp12 + "\x07\x00\x00\x00")}},
		}, {
			name:    "two incomplete stamps are too many",
			program: []any{incomplete, incomplete, int64(2), b(""), op("TUPLE_PACK_WITH_VERSIONSTAMP")},
			stack:   []logged{{4, b("ERROR: MULTIPLE")}},
		},
	}
}

func databaseScripts() []scripted {
	set := func(key, value string) []any { return []any{b(value), b(key), op("SET_DATABASE"), op("POP")} }
	rows := func(more ...any) []any {
		var p []any
		for _, key := range []string{"a1", "a2", "a3", "b1"} {
			p = append(p, set(key, "="+key)...)
		}
		return append(append(p, op("NEW_TRANSACTION")), more...) // instruction 16
	}
	four := map[string]string{"a1": "=a1", "a2": "=a2", "a3": "=a3", "b1": "=b1"}
	const first = 17 // instruction behind rows
	return []scripted{
		{
			name:    "an operation on the database pushes that it ended",
			program: []any{b("v"), b("k"), op("SET_DATABASE"), b("k"), op("GET_DATABASE"), b("k"), op("CLEAR_DATABASE")},
			stack:   []logged{{2, notPresent}, {4, b("v")}, {6, notPresent}},
		}, {
			name: "a transaction sees its own writes and commits them",
			program: []any{op("NEW_TRANSACTION"), b("v"), b("k"), op("SET"), b("k"), op("GET"), op("COMMIT"), op("WAIT_FUTURE"),
				op("GET_COMMITTED_VERSION"), b("k"), op("GET")},
			stack: []logged{{5, b("v")}, {6, notPresent}, {8, b("GOT_COMMITTED_VERSION")}, {10, failed("2017")}},
			rows:  map[string]string{"k": "v"},
		}, {
			name: "a conflict is error 1020 until on_error",
			program: []any{op("NEW_TRANSACTION"), b("k"), op("GET"), op("WAIT_FUTURE"), b("theirs"), b("k"), op("SET_DATABASE"), op("POP"),
				b("mine"), b("k2"), op("SET"), op("COMMIT"), op("WAIT_FUTURE"), int64(1020), op("ON_ERROR"), op("WAIT_FUTURE"),
				b("k"), op("GET"), op("WAIT_FUTURE")},
			stack: []logged{{2, notPresent}, {11, failed("1020")}, {14, notPresent}, {17, b("theirs")}},
			rows:  map[string]string{"k": "theirs"},
		}, {
			name: "a snapshot read does not conflict",
			program: []any{op("NEW_TRANSACTION"), b("k"), op("GET_SNAPSHOT"), op("WAIT_FUTURE"), b("theirs"), b("k"), op("SET_DATABASE"), op("POP"),
				b("mine"), b("k2"), op("SET"), op("COMMIT"), op("WAIT_FUTURE")},
			stack: []logged{{2, notPresent}, {11, notPresent}},
			rows:  map[string]string{"k": "theirs", "k2": "mine"},
		}, {
			name: "declared conflicts conflict",
			program: []any{op("NEW_TRANSACTION"), op("GET_READ_VERSION"), b("kz"), b("k"), op("READ_CONFLICT_RANGE"), b("m"), op("READ_CONFLICT_KEY"),
				b("other"), op("USE_TRANSACTION"), b("m"), op("WRITE_CONFLICT_KEY"), b("n"), b("m"), op("WRITE_CONFLICT_RANGE"), op("COMMIT"), op("WAIT_FUTURE"),
				b("test"), op("USE_TRANSACTION"), b("x"), b("x"), op("SET"), op("COMMIT"), op("WAIT_FUTURE")},
			stack: []logged{{1, b("GOT_READ_VERSION")}, {4, b("SET_CONFLICT_RANGE")}, {6, b("SET_CONFLICT_KEY")}, {10, b("SET_CONFLICT_KEY")},
				{13, b("SET_CONFLICT_RANGE")}, {14, notPresent}, {21, failed("1020")}},
		}, {
			name: "a write can go without its conflict",
			program: []any{op("NEW_TRANSACTION"), b("k"), op("GET"), op("WAIT_FUTURE"), b("other"), op("USE_TRANSACTION"), op("DISABLE_WRITE_CONFLICT"),
				b("theirs"), b("k"), op("SET"), op("COMMIT"), op("WAIT_FUTURE"), b("test"), op("USE_TRANSACTION"), b("x"), b("x"), op("SET"), op("COMMIT"), op("WAIT_FUTURE")},
			stack: []logged{{2, notPresent}, {10, notPresent}, {17, notPresent}},
			rows:  map[string]string{"k": "theirs", "x": "x"},
		}, {
			name: "cancel ends a transaction, reset forgets its writes",
			program: []any{op("NEW_TRANSACTION"), b("v"), b("k"), op("SET"), op("RESET"), op("COMMIT"), op("WAIT_FUTURE"),
				op("NEW_TRANSACTION"), op("CANCEL"), b("k"), op("GET"), op("WAIT_FUTURE"), int64(2000), op("ON_ERROR"), op("WAIT_FUTURE"), op("GET_APPROXIMATE_SIZE")},
			stack: []logged{{5, notPresent}, {10, failed("1025")}, {13, failed("2000")}, {15, b("GOT_APPROXIMATE_SIZE")}},
		}, {
			name: "a read version can be kept",
			program: []any{op("NEW_TRANSACTION"), op("GET_READ_VERSION_SNAPSHOT"), b("v"), b("k"), op("SET_DATABASE"), op("POP"),
				op("NEW_TRANSACTION"), op("SET_READ_VERSION"), b("k"), op("GET"), op("WAIT_FUTURE")},
			stack: []logged{{1, b("GOT_READ_VERSION")}, {9, notPresent}},
			rows:  map[string]string{"k": "v"},
		}, {
			name: "selectors are held to a prefix",
			program: rows(b("a"), int64(1), int64(0), b("a2"), op("GET_KEY"), b("a"), int64(2), int64(1), b("a2"), op("GET_KEY"),
				b("b"), int64(0), int64(0), b("b1"), op("GET_KEY_SNAPSHOT")),
			// First key not below a2; second above a2, a3 being the first; last below b1.
			stack: []logged{{first + 4, b("a2")}, {first + 9, b("b")}, {first + 14, b("b")}},
			rows:  four,
		}, {
			name: "ranges are packed as keys and values",
			program: rows(int64(-1), int64(0), int64(0), b("a3"), b("a1"), op("GET_RANGE"),
				int64(-2), int64(1), int64(2), b("a"), op("GET_RANGE_STARTS_WITH_SNAPSHOT"),
				b("a"), int64(0), int64(0), int64(9), int64(3), int64(0), b("a1"), int64(1), int64(1), b("a2"), op("GET_RANGE_SELECTOR_DATABASE")),
			// The selectors: first above a2 is a3, third not below a1 is a3: empty.
			stack: []logged{{first + 5, packed(b("a1"), b("=a1"), b("a2"), b("=a2"))}, {first + 10, packed(b("a3"), b("=a3"), b("a2"), b("=a2"))},
				{first + 21, b("")}},
			rows: four,
		}, {
			name: "clears take ranges",
			program: rows(b("a2"), b("a1"), op("CLEAR_RANGE"), b("b"), op("CLEAR_RANGE_STARTS_WITH"), op("COMMIT"), op("WAIT_FUTURE"),
				b("a3"), op("CLEAR_DATABASE"), op("POP")),
			stack: []logged{{first + 5, notPresent}},
			rows:  map[string]string{"a2": "=a2"},
		}, {
			name:    "sizes and split points are asked for",
			program: rows(b("b"), b("a"), op("GET_ESTIMATED_RANGE_SIZE"), int64(1000), b("b"), b("a"), op("GET_RANGE_SPLIT_POINTS")),
			stack:   []logged{{first + 2, b("GOT_ESTIMATED_RANGE_SIZE")}, {first + 6, b("GOT_RANGE_SPLIT_POINTS")}},
			rows:    four,
		}, {
			name: "atomic operations have FoundationDB's names",
			program: []any{b("\x01"), b("k"), "ADD", op("ATOMIC_OP_DATABASE"), op("POP"), b("\xff\x01"), b("k"), "ADD", op("ATOMIC_OP_DATABASE"), op("POP"),
				b("z"), b("m"), "BYTE_MAX", op("ATOMIC_OP_DATABASE"), op("POP"), b("y"), b("m"), "APPEND_IF_FITS", op("ATOMIC_OP_DATABASE"), op("POP"),
				b("x"), b("n"), "BYTE_MIN", op("ATOMIC_OP_DATABASE"), op("POP"), b("x"), b("n"), "COMPARE_AND_CLEAR", op("ATOMIC_OP_DATABASE"), op("POP")},
			// 1, as two bytes, and 0x01ff are 0x0200.
			rows: map[string]string{"k": "\x00\x02", "m": "zy"},
		}, {
			name: "a read-only transaction has no stamp, a stamped key cannot be read",
			program: []any{op("NEW_TRANSACTION"), op("GET_VERSIONSTAMP"), op("COMMIT"), op("WAIT_FUTURE"), op("POP"), op("WAIT_FUTURE"),
				op("NEW_TRANSACTION"), b("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), b("k"), "SET_VERSIONSTAMPED_VALUE", op("ATOMIC_OP"), b("k"), op("GET"), op("WAIT_FUTURE")},
			stack: []logged{{1, failed("2021")}, {12, failed("1036")}},
		}, {
			name: "a thread runs another program, which is waited for",
			// The other program pushes its key and clears it; it is stored by this one.
			program: []any{packed("PUSH", b("busy")), packed(b("other"), int64(0)), op("SET_DATABASE"), op("POP"),
				packed("CLEAR_DATABASE"), packed(b("other"), int64(1)), op("SET_DATABASE"), op("POP"), b(""), b("busy"), op("SET_DATABASE"), op("POP"),
				b("other"), op("START_THREAD"), b("busy"), op("WAIT_EMPTY")},
			stack: []logged{{15, b("WAITED_FOR_EMPTY")}},
			rows: map[string]string{
				string(packed(b("other"), int64(0))): string(packed("PUSH", b("busy"))),
				string(packed(b("other"), int64(1))): string(packed("CLEAR_DATABASE")),
			},
		},
	}
}
