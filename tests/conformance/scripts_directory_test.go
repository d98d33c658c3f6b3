package conformance_test

// failedDirectory is what every error of directories is on the stack.
var failedDirectory = b("DIRECTORY_ERROR")

// directoryScripts are scripts whose directories have prefixes of their choice:
// what is written can be told then. Theirs is a tree of its own, in entry 3.
func directoryScripts() []scripted {
	tree := func(more ...any) []any {
		return append([]any{op("NEW_TRANSACTION"),
			b("n"), "nodes", int64(1), op("DIRECTORY_CREATE_SUBSPACE"),
			b("c"), int64(0), op("DIRECTORY_CREATE_SUBSPACE"),
			int64(1), int64(2), int64(1), op("DIRECTORY_CREATE_LAYER"),
			int64(3), op("DIRECTORY_CHANGE")}, more...) // 14 instructions
	}
	const first = 14
	// The node of the directory with prefix p is n, "nodes", p.
	node := func(prefix string) string { return "n\x02nodes\x00\x01" + prefix + "\x00" }
	root := "n\x02nodes\x00\x01n\x02nodes\x00\xff\x00"
	version := root + "\x01version\x00"
	created := []any{b("P"), b("L"), "d", int64(1), op("DIRECTORY_CREATE")} // becomes entry 4
	withD := func(more map[string]string) map[string]string {
		rows := map[string]string{
			version:                     "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
			root + "\x14\x02d\x00":      "P",
			node("P") + "\x01layer\x00": "L",
		}
		for key, value := range more {
			rows[key] = value
		}
		return rows
	}
	return []scripted{
		{
			name: "a directory is written as all bindings write it",
			program: tree(append(created, op("COMMIT"), op("WAIT_FUTURE"),
				int64(0), op("DIRECTORY_LIST_DATABASE"), "d", int64(1), int64(1), op("DIRECTORY_EXISTS_SNAPSHOT"))...),
			// The read on the snapshot comes after the commit.
			stack: []logged{{first + 5, notPresent}, {first + 8, packed("d")}, {first + 12, failedDirectory}},
			rows:  withD(nil),
		}, {
			name: "errors leave a null, which the error index stands in for",
			program: []any{op("NEW_TRANSACTION"), nil, "none", int64(1), op("DIRECTORY_OPEN"), int64(0), op("DIRECTORY_SET_ERROR_INDEX"),
				int64(1), op("DIRECTORY_CHANGE"), int64(0), op("DIRECTORY_EXISTS"), "none", int64(1), int64(1), op("DIRECTORY_EXISTS_DATABASE"),
				"none", int64(1), int64(1), op("DIRECTORY_REMOVE"), "none", int64(1), int64(1), op("DIRECTORY_REMOVE_IF_EXISTS")},
			stack: []logged{{4, failedDirectory}, {10, int64(1)}, {14, int64(0)}, {18, failedDirectory}},
		}, {
			name: "a directory is a subspace",
			program: tree(append(created, int64(4), op("DIRECTORY_CHANGE"),
				int64(7), int64(1), op("DIRECTORY_PACK_KEY"), b("P\x15\x07\x02x\x00"), op("DIRECTORY_UNPACK_KEY"),
				int64(0), op("DIRECTORY_RANGE"), b("Pz"), op("DIRECTORY_CONTAINS"), b("Q"), op("DIRECTORY_CONTAINS"),
				b("Pz"), op("DIRECTORY_STRIP_PREFIX"), b("Q"), op("DIRECTORY_STRIP_PREFIX"),
				"s", int64(1), op("DIRECTORY_OPEN_SUBSPACE"), int64(5), op("DIRECTORY_CHANGE"), b("log-s"), op("DIRECTORY_LOG_SUBSPACE"),
				op("COMMIT"), op("WAIT_FUTURE"))...),
			stack: []logged{{first + 9, b("P\x15\x07")}, {first + 11, int64(7)}, {first + 11, "x"}, {first + 13, b("P\x00")}, {first + 13, b("P\xff")},
				{first + 15, int64(1)}, {first + 17, int64(0)}, {first + 19, b("z")}, {first + 21, failedDirectory}, {first + 29, notPresent}},
			rows: withD(map[string]string{"log-s\x15\x05": "P\x02s\x00"}),
		}, {
			name: "a directory moves with its content",
			program: tree(append(created, "e", int64(1), "d", int64(1), op("DIRECTORY_MOVE"), int64(5), op("DIRECTORY_CHANGE"),
				"d", int64(1), op("DIRECTORY_MOVE_TO"), int64(6), op("DIRECTORY_CHANGE"), b("log-d"), op("DIRECTORY_LOG_DIRECTORY"),
				op("COMMIT"), op("WAIT_FUTURE"))...),
			stack: []logged{{first + 19, notPresent}},
			rows: withD(map[string]string{
				"log-d\x15\x06\x02path\x00":     string(packed("d")),
				"log-d\x15\x06\x02layer\x00":    string(packed(b("L"))),
				"log-d\x15\x06\x02exists\x00":   string(packed(int64(1))),
				"log-d\x15\x06\x02children\x00": "",
			}),
		}, {
			name: "a layer must be the directory's",
			program: tree(append(created, b("M"), "d", int64(1), op("DIRECTORY_CREATE_OR_OPEN"), nil, "d", int64(1), op("DIRECTORY_CREATE_OR_OPEN"),
				b("L"), "d", int64(1), op("DIRECTORY_OPEN"), nil, nil, "d", int64(1), op("DIRECTORY_CREATE"), op("COMMIT"), op("WAIT_FUTURE"))...),
			stack: []logged{{first + 8, failedDirectory}, {first + 21, failedDirectory}, {first + 22, notPresent}},
			rows:  withD(nil),
		},
	}
}
