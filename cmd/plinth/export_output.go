package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/partial"
	"github.com/plinthdb/plinth/kv"
)

// storeIDKey is the special key of the id that a store draws when it is made.
const storeIDKey = "\xff\xff/cluster_id"

// openOutput begins the output of an export to a file, or goes on with it.
func (f *exportFlags) openOutput(cmd *cobra.Command, db *kv.Database, name string) (*partial.Output, dump.ExportCheckpoint, error) {
	none := dump.ExportCheckpoint{}
	if err := f.mayBecome(name); err != nil {
		return nil, none, err
	}
	store, err := storeID(cmd.Context(), db)
	if err != nil {
		return nil, none, err
	}
	if store == "" {
		store = "in " + f.dir
	}
	source := partial.Source{Store: store, RowFormat: f.format.value, Begin: f.keys.Begin, End: f.keys.End}
	if f.resume {
		return f.resumeOutput(cmd, name, source)
	}
	if f.overwrite {
		found, err := partial.Discard(f.files, name)
		if found {
			fmt.Fprintf(cmd.ErrOrStderr(), "plinth: --overwrite removes %s, of an export that had stopped\n", partial.Name(name))
		}
		if err != nil {
			return nil, none, err
		}
	}
	out, err := partial.Begin(f.files, name, source)
	if errors.Is(err, partial.ErrUnfinished) {
		err = fmt.Errorf("%w; --resume goes on with it, --overwrite removes it and begins anew", err)
	}
	return out, none, err
}

// mayBecome refuses to replace a file unless it was asked to.
func (f *exportFlags) mayBecome(name string) error {
	info, err := f.files.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file; give -, and send standard output there", name)
	case err == nil && !f.overwrite:
		return fmt.Errorf("%s exists already: give another name, or --overwrite", name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// resumeOutput goes on with the output of an export that has stopped, and says
// where.
func (f *exportFlags) resumeOutput(cmd *cobra.Command, name string, source partial.Source) (*partial.Output, dump.ExportCheckpoint, error) {
	errOut := cmd.ErrOrStderr()
	out, from, err := partial.Resume(cmd.Context(), f.files, name, source)
	switch {
	case errors.Is(err, partial.ErrOtherExport):
		return nil, from, fmt.Errorf("%s: %w; give what it was begun with, or --overwrite without --resume to begin anew", partial.Name(name), err)
	case errors.Is(err, partial.ErrDamaged):
		return nil, from, fmt.Errorf("the export to %s cannot go on: %w; give --overwrite without --resume to begin anew", name, err)
	case err != nil:
		return nil, from, err
	case from.Rows == 0:
		fmt.Fprintf(errOut, "plinth: no export to %s has stopped on the way: beginning at the first row\n", name)
	default:
		fmt.Fprintf(errOut, "plinth: going on behind %s (%s) in %s\n", quantity(from.Rows, "row"), formatBytes(from.Bytes), partial.Name(name))
	}
	return out, from, nil
}

// storeID returns the id of a store, empty if it has none.
func storeID(ctx context.Context, db *kv.Database) (string, error) {
	id, err := kv.ReadTransact(ctx, db, func(r kv.Reader) ([]byte, error) { return r.Get([]byte(storeIDKey)).Wait() })
	return string(id), err
}

// leave ends the output of an export that has failed, and says how to go on
// with it.
func (f *exportFlags) leave(cmd *cobra.Command, out *partial.Output, name string) error {
	if f.oneVersion { // What was read at one version nobody can go on with.
		return out.Discard()
	}
	reached, err := out.Leave()
	if reached.Rows == 0 {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "plinth: %s (%s) are kept in %s. To go on there:\n  %s\n",
		quantity(reached.Rows, "row"), formatBytes(reached.Bytes), partial.Name(name), resumeCommand(cmd, name))
	return err
}

// resumeCommand is the command line that goes on with an export.
func resumeCommand(cmd *cobra.Command, name string) string {
	words := []string{cmd.CommandPath()}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		switch {
		case flag.Name == "resume":
		case flag.Value.Type() == "bool" && flag.Value.String() == "true":
			words = append(words, "--"+flag.Name)
		default:
			words = append(words, "--"+flag.Name+"="+shellWord(flag.Value.String()))
		}
	})
	return strings.Join(append(words, "--resume", shellWord(name)), " ")
}

// shellWord quotes a word for the system's shell where it must be.
func shellWord(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
