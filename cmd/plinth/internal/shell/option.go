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
	// inTransaction says that it has no meaning outside of a transaction either.
	inTransaction bool
	// needs names an option that must be on before.
	needs string
}

// setting is an option that was turned on.
type setting struct {
	name, parameter string
	option          kv.TransactionOption
	needs           string // that of the option
}

// options is the table of all options, in the order of the alphabet.
func options() []option {
	return []option{
		{
			name: "access_system_keys", make: fixed(kv.WithSystemKeys(true)),
			short: "reads and writes may go to the keys from \\xff on",
		},
		{
			name: "auto_throttle_tag", parameter: "text", make: checked(kv.WithTag),
			short: "the same as tag",
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
			name: "debug_transaction_identifier", parameter: "text", make: checked(kv.WithDebugID),
			short: "names transactions in the log",
		},
		{
			name: "idempotency_id", parameter: "bytes", make: checkedBytes(kv.WithIdempotencyID), inTransaction: true,
			short: "knows the transaction by this id, 16 to 255 bytes, of two of which one is committed",
		},
		{
			name: "lock_aware", make: fixed(kv.WithLockAware(true)),
			short: "works although the database is locked",
		},
		{
			name: "log_transaction", make: fixed(kv.WithTransactionLog(true)), needs: "debug_transaction_identifier",
			short: "logs what transactions do, which `plinth --log-level debug' shows",
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
			short: "gives way to all other transactions while the store is loaded",
		},
		{
			name: "priority_system_immediate", make: fixed(kv.WithPriority(kv.PriorityImmediate)),
			short: "is never held back, however loaded the store is",
		},
		{
			name: "read_ahead_disable", make: fixed(kv.WithReadAhead(false)),
			short: "fetches rows only when they are asked for, as this store does anyway",
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
			name: "skip_grv_cache", make: fixed(kv.WithCachedReadVersion(0)),
			short: "takes use_grv_cache back for a transaction",
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
			short: "adds transactions to a group, whose starts are counted and which throttle limits",
		},
		{
			name: "timeout", parameter: "milliseconds", make: millis(kv.WithTimeout),
			short: "ends a transaction after that time; 0 is never",
		},
		{
			name: "transaction_logging_max_field_length", parameter: "bytes", make: number(-1, math.MaxInt32, kv.WithLogFieldLimit),
			short: "cuts keys and values in the log; -1 is no limit",
		},
		{
			name: "use_grv_cache", make: fixed(kv.WithCachedReadVersion(cachedVersionAge)),
			short: "reads at a version that was got a moment ago, which may miss the newest commits",
		},
		{
			name: "used_during_commit_protection_disable", make: fixed(kv.WithUsedDuringCommitProtection(false)),
			short: "changes nothing: here the commit tells the truth in any case",
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

// checkedBytes is checked for bytes.
func checkedBytes(with func([]byte) kv.TransactionOption) func(string) (kv.TransactionOption, error) {
	return checked(func(parameter string) kv.TransactionOption { return with([]byte(parameter)) })
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
	if why, ok := absentOptions()[strings.ToLower(name)]; ok {
		return option{}, &misuse{fmt.Sprintf("option `%s' is not available: %s.", strings.ToLower(name), why)}
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
	case (o.once != nil || o.inTransaction) && s.tx == nil:
		return &misuse{fmt.Sprintf("option %s concerns one transaction, or one write of it: call it between begin and commit", o.name)}
	case o.needs != "" && !slices.ContainsFunc(s.settings(), func(set setting) bool { return set.name == o.needs }):
		return &misuse{fmt.Sprintf("option %s needs a name for the log: turn on %s first", o.name, o.needs)}
	case o.once != nil:
		o.once(s.tx)
		return nil
	}
	set := setting{name: o.name, needs: o.needs}
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
		s.inEffect = with(s.inEffect, set)
		return nil
	}
	s.options = with(s.options, set)
	return nil
}

// with returns a copy of settings with one more. It comes last, as later ones
// hold, but for those that need it before them.
func with(settings []setting, set setting) []setting {
	settings = append(without(settings, set.name), set)
	for _, other := range settings {
		if other.needs == set.name {
			settings = append(without(settings, other.name), other)
		}
	}
	return settings
}

// turnOff turns an option off for all transactions that follow.
func (s *Session) turnOff(o option) error {
	if s.tx != nil {
		return &misuse{"Cannot disable option when a transaction is active"}
	}
	for _, other := range s.options {
		if other.needs == o.name {
			return &misuse{fmt.Sprintf("option %s needs it: turn that off first", other.name)}
		}
	}
	s.options = without(s.options, o.name)
	return nil
}

// without returns a copy of settings in which one option is not.
func without(settings []setting, name string) []setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s setting) bool { return s.name == name })
}

// settings are the options that are on now.
func (s *Session) settings() []setting {
	if s.tx != nil {
		return s.inEffect
	}
	return s.options
}

// listOptions tells which options are on.
func (s *Session) listOptions() reply {
	list := []fields{}
	text := ""
	for _, set := range s.settings() {
		member := fields{{"name", set.name}}
		line := set.name
		if set.parameter != "" {
			member = append(member, field{"parameter", []byte(set.parameter)})
			line += ": `" + printable(set.parameter) + "'"
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
