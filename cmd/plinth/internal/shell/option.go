package shell

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// option is a transaction option that the shell knows, by FoundationDB's name.
type option struct {
	name string
	// parameter says what the option takes, empty for nothing.
	parameter string
	short     string // one line, no full stop
	// make returns the option of the store for a parameter.
	make func(parameter string) (kv.TransactionOption, error)
	// once, if set, is called on the transaction instead: the option concerns
	// one operation, so it has no meaning outside of a transaction.
	once func(*kv.Transaction)
}

// setting is an option that was turned on.
type setting struct {
	name, parameter string
	option          kv.TransactionOption
}

// options is the table of all options, in the order of the alphabet.
func options() []option {
	return []option{
		{
			name: "access_system_keys", make: fixed(kv.WithSystemKeys(true)),
			short: "reads and writes may go to the keys from \\xff on",
		},
		{
			name: "automatic_idempotency", make: fixed(kv.WithExactlyOnce(true)),
			short: "finds out what became of a commit whose answer was lost; always on in the shell",
		},
		{
			name: "bypass_unreadable", make: fixed(kv.WithBypassUnreadable(true)),
			short: "reads see what versionstamped operations of the transaction wrote, without the stamp",
		},
		{
			name: "causal_read_risky", make: fixed(kv.WithCausalReadRisky(true)),
			short: "changes nothing: read versions are exact in any case",
		},
		{
			name: "causal_write_risky", make: fixed(kv.WithCausalWriteRisky(true)),
			short: "changes nothing: no commit is applied twice",
		},
		{
			name: "lock_aware", make: fixed(kv.WithLockAware(true)),
			short: "works although the database is locked",
		},
		{
			name: "max_retry_delay", parameter: "milliseconds", make: millis(kv.WithMaxRetryDelay),
			short: "bounds the pause before a command is run again",
		},
		{
			name: "next_write_no_write_conflict_range", once: (*kv.Transaction).NextWriteWithoutConflict,
			short: "the next write adds no write conflict",
		},
		{
			name: "priority_batch", make: fixed(kv.WithPriority(kv.PriorityBatch)),
			short: "asks to give way to all other transactions; this store holds none back",
		},
		{
			name: "priority_system_immediate", make: fixed(kv.WithPriority(kv.PriorityImmediate)),
			short: "asks to go before all other transactions; this store holds none back",
		},
		{
			name: "read_lock_aware", make: fixed(kv.WithReadLockAware(true)),
			short: "reads although the database is locked, and cannot write",
		},
		{
			name: "read_system_keys", make: fixed(kv.WithReadSystemKeys(true)),
			short: "reads may go to the keys from \\xff on",
		},
		{
			name: "read_your_writes_disable", make: fixed(kv.WithReadYourWrites(false)),
			short: "reads do not see the transaction's own writes",
		},
		{
			name: "report_conflicting_keys", make: fixed(kv.WithReportConflictingKeys(true)),
			short: "a conflict says which keys were changed",
		},
		{
			name: "retry_limit", parameter: "number", make: number(-1, math.MaxInt32, kv.WithRetryLimit),
			short: "how often a command is run again at most; -1 is no limit",
		},
		{
			name: "size_limit", parameter: "bytes", make: number(32, kv.MaxTransactionBytes, kv.WithSizeLimit),
			short: "bounds what a transaction writes",
		},
		{
			name: "snapshot_ryw_disable", make: fixed(kv.WithSnapshotReadYourWrites(false)),
			short: "snapshot reads do not see the transaction's own writes",
		},
		{
			name: "snapshot_ryw_enable", make: fixed(kv.WithSnapshotReadYourWrites(true)),
			short: "snapshot reads see the transaction's own writes",
		},
		{
			name: "special_key_space_enable_writes", make: fixed(kv.WithSpecialKeyWrites(true)),
			short: "writes may go to the special keys from \\xff\\xff on",
		},
		{
			name: "special_key_space_relaxed", make: fixed(kv.WithSpecialKeysRelaxed(true)),
			short: "a range of special keys may go over several modules",
		},
		{
			name: "tag", parameter: "text", make: checked(kv.WithTag),
			short: "adds transactions to a group, which this store does not throttle by",
		},
		{
			name: "timeout", parameter: "milliseconds", make: millis(kv.WithTimeout),
			short: "ends a transaction after that time; 0 is never",
		},
		{
			name: "use_grv_cache", make: fixed(kv.WithCachedReadVersion(cachedVersionAge)),
			short: "reads at a version that was got a moment ago, which may miss the newest commits",
		},
	}
}

// cachedVersionAge is how old a read version of use_grv_cache may be, as in
// FoundationDB.
const cachedVersionAge = 100 * time.Millisecond

// fixed is an option without a parameter.
func fixed(o kv.TransactionOption) func(string) (kv.TransactionOption, error) {
	return func(string) (kv.TransactionOption, error) { return o, nil }
}

// number is an option with a number from least to most.
func number(least, most int, with func(int) kv.TransactionOption) func(string) (kv.TransactionOption, error) {
	return func(parameter string) (kv.TransactionOption, error) {
		n, err := strconv.Atoi(parameter)
		if err != nil || n < least || n > most {
			return nil, &misuse{fmt.Sprintf("bad parameter `%s': it must be a number from %d to %d", printable(parameter), least, most)}
		}
		return with(n), nil
	}
}

// millis is an option with a time in milliseconds.
func millis(with func(time.Duration) kv.TransactionOption) func(string) (kv.TransactionOption, error) {
	return number(0, math.MaxInt32, func(n int) kv.TransactionOption { return with(time.Duration(n) * time.Millisecond) })
}

// checked is an option with any text that the store takes.
func checked(with func(string) kv.TransactionOption) func(string) (kv.TransactionOption, error) {
	return func(parameter string) (kv.TransactionOption, error) {
		made := with(parameter)
		if err := kv.CheckOptions(made); err != nil {
			return nil, &misuse{errorText(err)}
		}
		return made, nil
	}
}

// optionNames returns the names of all options.
func optionNames() []string {
	var names []string
	for _, o := range options() {
		names = append(names, o.name)
	}
	return names
}

// findOption returns the option of a name, which may be in capitals, as in
// FoundationDB's documentation.
func findOption(name string) (option, error) {
	for _, o := range options() {
		if o.name == strings.ToLower(name) {
			return o, nil
		}
	}
	return option{}, &misuse{fmt.Sprintf("Unknown option `%s'. Try `help options'?", printable(name))}
}

func (s *Session) option(_ context.Context, args [][]byte) (reply, error) {
	if len(args) == 0 {
		return s.listOptions(), nil
	}
	if len(args) == 1 {
		return reply{}, usageOf("option")
	}
	o, err := findOption(string(args[1]))
	if err != nil {
		return reply{}, err
	}
	switch state := string(args[0]); {
	case state == "on":
		return reply{}, s.turnOn(o, args[2:])
	case state == "off" && len(args) == 2:
		return reply{}, s.turnOff(o)
	}
	return reply{}, usageOf("option")
}

// turnOn turns an option on: for the transaction or, outside of one, for all
// that follow.
func (s *Session) turnOn(o option, args [][]byte) error {
	switch {
	case o.parameter == "" && len(args) > 0:
		return &misuse{fmt.Sprintf("option %s takes no parameter", o.name)}
	case o.parameter != "" && len(args) == 0:
		return &misuse{fmt.Sprintf("option %s takes a parameter: %s", o.name, o.parameter)}
	case o.once != nil && s.tx == nil:
		return &misuse{fmt.Sprintf("option %s concerns one write of a transaction: call it between begin and commit", o.name)}
	case o.once != nil:
		o.once(s.tx)
		return nil
	}
	set := setting{name: o.name}
	if o.parameter != "" {
		set.parameter = string(args[0])
	}
	made, err := o.make(set.parameter)
	if err != nil {
		return err
	}
	set.option = made
	if s.tx != nil {
		s.tx.SetOptions(set.option)
		s.inEffect = append(without(s.inEffect, o.name), set)
		return nil
	}
	s.options = append(without(s.options, o.name), set)
	return nil
}

// turnOff turns an option off for all transactions that follow.
func (s *Session) turnOff(o option) error {
	if s.tx != nil {
		return &misuse{"Cannot disable option when a transaction is active"}
	}
	s.options = without(s.options, o.name)
	return nil
}

// without returns a copy of settings in which one option is not.
func without(settings []setting, name string) []setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s setting) bool { return s.name == name })
}

// listOptions tells which options are on.
func (s *Session) listOptions() reply {
	settings := s.options
	if s.tx != nil {
		settings = s.inEffect
	}
	list := []fields{}
	text := ""
	for _, set := range settings {
		member := fields{{"name", set.name}}
		line := set.name
		if set.parameter != "" {
			member = append(member, field{"parameter", set.parameter})
			line += ": `" + set.parameter + "'"
		}
		list = append(list, member)
		text += line + "\n"
	}
	if text == "" {
		text = "No options are enabled.\n"
	}
	return reply{text: text, result: fields{{"options", list}}}
}

// transactionOptions are the options of the transactions that begin now. A
// person wants to know whether something was committed.
func (s *Session) transactionOptions() []kv.TransactionOption {
	all := []kv.TransactionOption{kv.WithExactlyOnce(true)}
	for _, set := range s.options {
		all = append(all, set.option)
	}
	return all
}

// optionsHelp explains all options.
func optionsHelp() string {
	var b strings.Builder
	b.WriteString("\nOptions of transactions, for `option on' and `option off':\n\n")
	for _, o := range options() {
		name := o.name
		if o.parameter != "" {
			name += " <" + strings.ToUpper(o.parameter) + ">"
		}
		fmt.Fprintf(&b, " %s\n     %s.\n", name, capital(o.short))
	}
	return b.String() + "\n"
}
