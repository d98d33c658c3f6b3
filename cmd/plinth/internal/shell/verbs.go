package shell

import (
	"context"
	"maps"
	"math"
	"slices"
)

// verb is one command of the shell.
type verb struct {
	name  string
	usage string // the verb and its arguments
	short string // one line, no full stop
	long  string // paragraphs, perhaps none
	// minArgs and maxArgs bound the number of arguments.
	minArgs, maxArgs int
	run              func(s *Session, ctx context.Context, args [][]byte) error
}

const (
	escapingKeys   = "For information on escaping keys, type `help escaping'."
	escapingValues = "For information on escaping keys and values, type `help escaping'."
	rangeLimit     = 25 // rows of a getrange without LIMIT
)

// verbs is the table of all commands.
func verbs() map[string]verb {
	table := map[string]verb{}
	for _, v := range slices.Concat(readVerbs(), writeVerbs(), transactionVerbs(), otherVerbs()) {
		table[v.name] = v
	}
	return table
}

// verbNames returns the names of all verbs in the order of the alphabet.
func verbNames() []string { return slices.Sorted(maps.Keys(verbs())) }

func readVerbs() []verb {
	return []verb{
		{
			name: "get", usage: "get <KEY>", minArgs: 1, maxArgs: 1, run: (*Session).get,
			short: "fetch the value of a key",
			long:  "Prints the value of KEY, or that it was not found.\n\n" + escapingKeys,
		},
		{
			name: "getrange", usage: "getrange <BEGINKEY> [ENDKEY] [LIMIT]", minArgs: 1, maxArgs: 3, run: (*Session).getRange,
			short: "fetch keys and values of a range",
			long: "Prints up to LIMIT keys and values, 25 if it is left out, from BEGINKEY (inclusive) to ENDKEY (exclusive). " +
				"Without ENDKEY the range is that of all keys that begin with BEGINKEY.\n\n" + escapingKeys,
		},
		{
			name: "getrangekeys", usage: "getrangekeys <BEGINKEY> [ENDKEY] [LIMIT]", minArgs: 1, maxArgs: 3, run: (*Session).getRangeKeys,
			short: "fetch keys of a range",
			long:  "Prints keys as getrange does, without their values.\n\n" + escapingKeys,
		},
		{
			name: "getversion", usage: "getversion", run: (*Session).getVersion,
			short: "print the read version",
			long:  "Prints the current read version of the database or, between begin and commit, that of the transaction.",
		},
		{
			name: "watch", usage: "watch <KEY>", minArgs: 1, maxArgs: 1, run: (*Session).watch,
			short: "wait until the value of a key changes",
			long: "Returns when KEY has another value than it has now, is cleared, or is set if it is not there, and prints " +
				"the value that it has then. Ctrl-C ends the wait. It cannot be used in a transaction.\n\n" + escapingKeys,
		},
	}
}

func writeVerbs() []verb {
	return []verb{
		{
			name: "set", usage: "set <KEY> <VALUE>", minArgs: 2, maxArgs: 2, run: (*Session).set,
			short: "give a key a value",
			long:  "Sets KEY to VALUE, whether it was there or not.\n\n" + escapingValues,
		},
		{
			name: "clear", usage: "clear <KEY>", minArgs: 1, maxArgs: 1, run: (*Session).clear,
			short: "remove a key",
			long:  "Removes KEY. That it is not there is no error.\n\n" + escapingKeys,
		},
		{
			name: "clearrange", usage: "clearrange <BEGINKEY> [ENDKEY]", minArgs: 1, maxArgs: 2, run: (*Session).clearRange,
			short: "remove a range of keys",
			long: "Removes all keys from BEGINKEY (inclusive) to ENDKEY (exclusive). Without ENDKEY all keys that begin with " +
				"BEGINKEY are removed, which must then not be empty.\n\n" + escapingKeys,
		},
		{
			name: "writemode", usage: "writemode <on|off>", minArgs: 1, maxArgs: 1, run: (*Session).writeMode,
			short: "allow or refuse set and clear",
			long:  "Turned off, set, clear and clearrange fail. It is on at first.",
		},
	}
}

func transactionVerbs() []verb {
	return []verb{
		{
			name: "begin", usage: "begin", run: (*Session).begin,
			short: "begin a transaction",
			long: "Without begin each command is a transaction of its own. From begin to commit all commands are one: they read " +
				"at one version, and their writes become visible together or not at all.\n\n" +
				"An error of the store ends the transaction. After a conflict begin it again and repeat its commands.",
		},
		{
			name: "commit", usage: "commit", run: (*Session).commit,
			short: "commit the transaction",
			long:  "Prints the version of the commit. If it fails the transaction is over and nothing was written, unless the error says that this is not known.",
		},
		{
			name: "reset", usage: "reset", run: (*Session).reset,
			short: "forget what the transaction has done, and go on with it",
		},
		{
			name: "rollback", usage: "rollback", run: (*Session).rollback,
			short: "end the transaction without its writes",
		},
	}
}

func otherVerbs() []verb {
	return []verb{
		{
			name: "status", usage: "status [minimal|json]", maxArgs: 1, run: (*Session).printStatus,
			short: "describe the store",
			long:  "With minimal it only says whether the database can be used, with json it prints one JSON object.",
		},
		{
			name: "help", usage: "help [<topic>]", maxArgs: math.MaxInt, run: (*Session).help,
			short: "explain a command or a topic",
		},
		{
			name: "exit", usage: "exit", run: (*Session).exit,
			short: "leave the shell",
			long:  "A transaction that was not committed is rolled back.",
		},
		{
			name: "quit", usage: "quit", run: (*Session).exit,
			short: "leave the shell",
		},
	}
}
