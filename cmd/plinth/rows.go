package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/escape"
	"github.com/plinthdb/plinth/kv"
)

// rowFlags say which rows are exported or imported, and how they are written.
type rowFlags struct {
	keys   kv.KeyRange
	format rowFormat
}

// addRows adds --begin, --end, --prefix and --format with the given formats,
// and the check that goes with them.
func (f *rowFlags) addRows(cmd *cobra.Command, formats ...dump.Format) {
	f.keys = kv.AllKeys()
	flags := cmd.Flags()
	flags.Var(&escapedKey{key: &f.keys.Begin}, "begin", `first `+"`key`"+` of the range, with \xNN for bytes`)
	flags.Var(&escapedKey{key: &f.keys.End}, "end", `first `+"`key`"+` after the range, with \xNN for bytes`)
	flags.Var(&keyPrefix{keys: &f.keys}, "prefix", `only keys that begin with this `+"`prefix`"+`, with \xNN for bytes`)
	cmd.MarkFlagsMutuallyExclusive("prefix", "begin")
	cmd.MarkFlagsMutuallyExclusive("prefix", "end")

	f.format = rowFormat{value: dump.Text, known: formats}
	flags.Var(&f.format, "format", "`format` of the lines: "+f.format.choice())
	completeNothing(cmd, "begin", "end", "prefix")
	completeFlag(cmd, "format", f.format.names()...)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if bytes.Compare(f.keys.Begin, f.keys.End) > 0 {
			return errors.New("--begin sorts after --end")
		}
		return nil
	}
}

// rowFormat is the value of --format.
type rowFormat struct {
	value dump.Format
	known []dump.Format
}

// names returns the names of the formats.
func (f *rowFormat) names() []string {
	var names []string
	for _, known := range f.known {
		names = append(names, string(known))
	}
	return names
}

// choice lists the formats for people.
func (f *rowFormat) choice() string {
	names := f.names()
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// String returns the format's name.
func (f *rowFormat) String() string { return string(f.value) }

// Type names the kind of value in the help text.
func (f *rowFormat) Type() string { return "format" }

// Set accepts the name of a format.
func (f *rowFormat) Set(name string) error {
	if !slices.Contains(f.known, dump.Format(name)) {
		return fmt.Errorf("unknown format %q: use %s", name, f.choice())
	}
	f.value = dump.Format(name)
	return nil
}

// escapedKey is a key as the value of a flag.
type escapedKey struct {
	key *[]byte
	// text is how it was given.
	text string
}

// String returns the key as it was given; the default is not shown.
func (k *escapedKey) String() string { return k.text }

// Type names the kind of value in the help text.
func (k *escapedKey) Type() string { return "key" }

// Set accepts a key with escapes.
func (k *escapedKey) Set(text string) error {
	key, err := escape.Parse(text)
	if err != nil {
		return err
	}
	*k.key, k.text = key, text
	return nil
}

// keyPrefix is a range of keys with a common prefix as the value of a flag.
type keyPrefix struct {
	keys *kv.KeyRange
	// text is how it was given.
	text string
}

// String returns the prefix as it was given; the default is not shown.
func (p *keyPrefix) String() string { return p.text }

// Type names the kind of value in the help text.
func (p *keyPrefix) Type() string { return "prefix" }

// Set accepts a prefix with escapes.
func (p *keyPrefix) Set(text string) error {
	prefix, err := escape.Parse(text)
	if err != nil {
		return err
	}
	*p.keys, p.text = kv.PrefixRange(prefix), text
	return nil
}
