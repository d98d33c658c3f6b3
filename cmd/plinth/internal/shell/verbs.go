package shell

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
)

// verb is one command of the shell.
type verb struct {
	name  string
	usage string // the verb and its arguments
	short string // one line, no full stop
	long  string // paragraphs, perhaps none
	// minArgs and maxArgs bound the number of arguments.
	minArgs, maxArgs int
	// commits says that the command may commit something.
	commits bool
	// keys says that arguments are keys.
	keys bool
	run  func(s *Session, ctx context.Context, args [][]byte) (reply, error)
	// words returns what may follow the given arguments, for completion of a
	// word that was begun; nil for a verb whose arguments are all free.
	words func(s *Session, args []string, word string) []string
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

// first offers words as the first argument.
func first(words ...string) func(*Session, []string, string) []string {
	return func(_ *Session, args []string, _ string) []string {
		if len(args) > 0 {
			return nil
		}
		return words
	}
}

func readVerbs() []verb {
	return []verb{
		{
			name: "get", usage: "get <KEY>", keys: true, minArgs: 1, maxArgs: 1, run: (*Session).get,
			short: "fetch the value of a key",
			long:  "Prints the value of KEY, or that it was not found.\n\n" + escapingKeys,
		},
		{
			name: "getrange", usage: "getrange <BEGINKEY> [ENDKEY] [LIMIT] [reverse]", keys: true, minArgs: 1, maxArgs: 4, run: (*Session).getRange,
			short: "fetch keys and values of a range",
			long: "Prints up to LIMIT keys and values, 25 if it is left out, from BEGINKEY (inclusive) to ENDKEY (exclusive). " +
				"Without ENDKEY the range is that of all keys that begin with BEGINKEY. With reverse the rows come from the end of the range.\n\n" + escapingKeys,
		},
		{
			name: "getrangekeys", usage: "getrangekeys <BEGINKEY> [ENDKEY] [LIMIT] [reverse]", keys: true, minArgs: 1, maxArgs: 4, run: (*Session).getRangeKeys,
			short: "fetch keys of a range",
			long:  "Prints keys as getrange does, without their values.\n\n" + escapingKeys,
		},
		{
			name: "getkey", usage: "getkey <lt|le|gt|ge> <KEY> [OFFSET]", keys: true, minArgs: 2, maxArgs: 3, run: (*Session).getKey,
			words: first("lt", "le", "gt", "ge"),
			short: "find a key by its place",
			long: "Prints the last key that is less than KEY (lt), or less or equal (le), or the first that is greater (gt), or greater or " +
				"equal (ge). OFFSET, which may be negative, moves on by so many keys. Before the first key this is the empty key, behind the last one \\xff.\n\n" + escapingKeys,
		},
		{
			name: "getversion", usage: "getversion", run: (*Session).getVersion,
			short: "print the read version",
			long:  "Prints the current read version of the database or, between begin and commit, that of the transaction.",
		},
		{
			name: "getestimatedrangesize", usage: "getestimatedrangesize <BEGINKEY> [ENDKEY]", minArgs: 1, maxArgs: 2, run: (*Session).getEstimatedRangeSize,
			short: "estimate the size of a range",
			long: "Prints about how many bytes the keys and values from BEGINKEY to ENDKEY take, or those of all keys that begin with BEGINKEY. " +
				"It reads nothing, is rough, and does not count what was written in the last seconds. It is no part of the transaction.\n\n" + escapingKeys,
		},
		{
			name: "getrangesplitpoints", usage: "getrangesplitpoints <BEGINKEY> <ENDKEY> <BYTES>", minArgs: 3, maxArgs: 3, run: (*Session).getRangeSplitPoints,
			short: "find keys that split a range",
			long: "Prints keys that split the range from BEGINKEY to ENDKEY into parts of about so many bytes, the two of them included. " +
				"Sizes are those of getestimatedrangesize.\n\n" + escapingKeys,
		},
		{
			name: "getlocation", usage: "getlocation <KEY>", minArgs: 1, maxArgs: 1, run: (*Session).getLocation,
			short: "print where a key is",
			long:  "Prints the addresses of the servers that hold KEY. In an embedded store that is this process, where nothing listens.\n\n" + escapingKeys,
		},
		{
			name: "getboundarykeys", usage: "getboundarykeys <BEGINKEY> [ENDKEY]", minArgs: 1, maxArgs: 2, run: (*Session).getBoundaryKeys,
			short: "print where the shards of a range begin",
			long: "Prints the keys from BEGINKEY to ENDKEY at which a shard begins, or those that begin with BEGINKEY. An embedded store is one " +
				"shard, which begins at the empty key.\n\n" + escapingKeys,
		},
		{
			name: "watch", usage: "watch <KEY>", keys: true, minArgs: 1, maxArgs: 1, run: (*Session).watch,
			short: "wait until the value of a key changes",
			long: "Returns when KEY has another value than it has now, is cleared, or is set if it is not there, and prints " +
				"the value that it has then. Ctrl-C ends the wait. It cannot be used in a transaction.\n\n" + escapingKeys,
		},
	}
}

func writeVerbs() []verb {
	return []verb{
		{
			name: "set", usage: "set <KEY> <VALUE>", keys: true, minArgs: 2, maxArgs: 2, commits: true, run: (*Session).set,
			short: "give a key a value",
			long:  "Sets KEY to VALUE, whether it was there or not.\n\n" + escapingValues,
		},
		{
			name: "clear", usage: "clear <KEY>", keys: true, minArgs: 1, maxArgs: 1, commits: true, run: (*Session).clear,
			short: "remove a key",
			long:  "Removes KEY. That it is not there is no error.\n\n" + escapingKeys,
		},
		{
			name: "clearrange", usage: "clearrange <BEGINKEY> [ENDKEY]", keys: true, minArgs: 1, maxArgs: 2, commits: true, run: (*Session).clearRange,
			short: "remove a range of keys",
			long: "Removes all keys from BEGINKEY (inclusive) to ENDKEY (exclusive). Without ENDKEY all keys that begin with " +
				"BEGINKEY are removed, which must then not be empty.\n\n" + escapingKeys,
		},
		{
			name: "atomic", usage: "atomic <OPERATION> <KEY> <OPERAND>", minArgs: 3, maxArgs: 3, commits: true, run: (*Session).atomic,
			words: first(atomicNames()...),
			short: "change a value without reading it",
			long: "Applies an atomic operation to the value of KEY: " + strings.Join(atomicNames(), ", ") + ".\n\n" +
				"Numbers are little-endian: atomic add counter \\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00 adds 1 to a counter of 64 bits.\n\n" +
				"For set_versionstamped_key KEY, and for set_versionstamped_value OPERAND, ends in four bytes, little-endian, that say " +
				"where in the bytes before them the ten bytes of the versionstamp go. Outside of a transaction the versionstamp is printed.\n\n" +
				"It is applied once, also if the answer to its commit is lost.\n\n" + escapingValues,
		},
		{
			name: "writemode", usage: "writemode <on|off>", minArgs: 1, maxArgs: 1, run: (*Session).writeMode,
			words: first("on", "off"),
			short: "allow or refuse writes",
			long: "Turned off, everything fails that writes: set, clear, clearrange, atomic, dir mkdir, dir mv, dir rm, lock, unlock, throttle on and throttle off. " +
				"A transaction can still be committed: what it wrote before is written. It is on at first; in fdbcli it is off.",
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
			name: "commit", usage: "commit", commits: true, run: (*Session).commit,
			short: "commit the transaction",
			long:  "Prints the version of the commit. If it fails the transaction is over and nothing was written, unless the error says that this is not known.",
		},
		{
			name: "option", usage: "option [<on|off> <OPTION> [PARAMETER]]", maxArgs: 3, run: (*Session).option, words: optionWords,
			short: "turn options of transactions on or off",
			long: "Without arguments the options that are on are printed. Outside of a transaction an option holds for all commands and " +
				"transactions that follow. Between begin and commit it holds for that transaction, until a reset, and cannot be turned off.\n\n" +
				"For information on available options, type `help options'.",
		},
		{
			name: "reset", usage: "reset", run: (*Session).reset,
			short: "forget what the transaction has done, and go on with it",
			long:  "Options that were turned on since begin are off again.",
		},
		{
			name: "rollback", usage: "rollback", run: (*Session).rollback,
			short: "end the transaction without its writes",
		},
	}
}

func otherVerbs() []verb {
	return []verb{
		throttleVerb(),
		{
			name: "dir", usage: "dir <ls|mkdir|mv|rm|info|exists> ...", minArgs: 1, maxArgs: 3, commits: true, run: (*Session).dir, words: dirWords,
			short: "list, create, move and remove directories",
			long:  dirHelp,
		},
		{
			name: "display", usage: "display [bytes|tuples|alltuples]", maxArgs: 1, run: (*Session).setDisplay,
			words: first(displayNames()...),
			short: "print keys as tuples, or as bytes",
			long:  displayHelp,
		},
		{
			name: "status", usage: "status [minimal|details|json|plinth]", maxArgs: 1, run: (*Session).printStatus,
			words: first(statusForms()...),
			short: "describe the store",
			long: "With minimal it only says whether the database can be used, with details it says more of each part. With json it prints " +
				"the status as one JSON object in FoundationDB's schema, that of the key \\xff\\xff/status/json, and with plinth one of " +
				"Plinth's own, which says all of each part.",
		},
		{
			name: "help", usage: "help [<topic>]", maxArgs: math.MaxInt, run: (*Session).help, words: helpWords,
			short: "explain a command or a topic",
		},
		{
			name: "history", usage: "history [COUNT]", maxArgs: 1, run: (*Session).history,
			short: "print the lines that were entered",
			long:  "Prints the lines that were entered at the terminal, of this session and of earlier ones; with COUNT only the last ones.",
		},
		{
			name: "lock", usage: "lock", run: (*Session).lock,
			short: "lock the database",
			long: "Locks the database and prints the id that unlock needs. Transactions fail then, until somebody unlocks it, unless " +
				"they have the option lock_aware. The lock is in the store and outlives the process.",
		},
		{
			name: "unlock", usage: "unlock <ID>", minArgs: 1, maxArgs: 1, run: (*Session).unlock,
			short: "unlock the database",
			long:  "Takes the lock with this ID away.",
		},
		{
			name: "sleep", usage: "sleep <SECONDS>", minArgs: 1, maxArgs: 1, run: (*Session).sleep,
			short: "wait for some time",
		},
		{
			name: "waitconnected", usage: "waitconnected", run: (*Session).waitConnected,
			short: "wait until the database answers",
			long:  "An open store answers at once; fdbcli needs the time to find its cluster.",
		},
		{
			name: "waitopen", usage: "waitopen", run: (*Session).waitConnected,
			short: "wait until the database answers",
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
