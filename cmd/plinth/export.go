package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

type exportFlags struct {
	storeFlags
	rowFlags
	oneVersion bool
	overwrite  bool
	asJSON     bool
}

func newExportCommand(env *environment) *cobra.Command {
	flags := exportFlags{storeFlags: storeFlags{mustExist: true}}
	cmd := &cobra.Command{
		Use:   "export FILE|-",
		Short: "Write the rows of a store to a file as lines of text or JSON",
		Long: `Write rows in key order as lines to FILE, or to standard output if it is -.
'plinth import' reads such lines, and nothing is lost on the way.

A line of text is key, tab, value; in both \xNN is a byte and \\ a backslash.
With --format json it is an object of two strings: "key" and "value" where the
bytes are text in UTF-8, "key_base64" and "value_base64" where they are not. With
--format json-base64 all are in base64.

The export is a consistent snapshot if it is read within the few seconds that
the store keeps old versions for, or if nobody writes meanwhile. Beyond that it
goes on at a newer version, or fails if --one-version is given. The report, on
standard error if the rows go to standard output, says which versions were read.

While it runs it says about how much is done and how long the rest will take.
FILE appears when it is complete, and an existing one is kept unless
--overwrite is given.`,
		Example: `  plinth export --dir data rows.txt
  plinth export --dir data - | gzip > rows.txt.gz
  plinth export --dir data --prefix 'user/' users.txt
  plinth export --dir data --format json - | jq -r .key
  plinth export --dir data --overwrite --json rows.txt`,
		Args: oneArgument("FILE", "the file to write, - for standard output"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.with(env, cmd, func(db *kv.Database, store *embedded.Store) error {
				return flags.run(cmd, db, store, args[0])
			})
		},
	}
	flags.addDir(cmd)
	flags.addRows(cmd, dump.Formats()...)
	cmd.Flags().BoolVar(&flags.oneVersion, "one-version", false, "fail if the rows cannot all be read at one version")
	cmd.Flags().BoolVar(&flags.overwrite, "overwrite", false, "replace FILE if it exists")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print the report as JSON")
	return cmd
}

func (f *exportFlags) run(cmd *cobra.Command, db *kv.Database, store *embedded.Store, file string) error {
	out, err := openOutput(cmd, file, f.overwrite)
	if err != nil {
		return err
	}
	progress := newExportProgress(cmd.ErrOrStderr(), f.keys, func(begin, end []byte) (int64, error) {
		return store.EstimateBytes(cmd.Context(), begin, end)
	})
	report, err := dump.Export(cmd.Context(), db, out, dump.ExportOptions{
		Range: f.keys, Format: f.format.value, OneVersion: f.oneVersion, Progress: progress.add,
	})
	seconds := progress.meter.end().Seconds()
	if err != nil {
		return errors.Join(fmt.Errorf("export to %s: %w", file, err), out.discard())
	}
	if err := out.keep(); err != nil {
		return fmt.Errorf("export to %s: %w", file, err)
	}
	to := cmd.OutOrStdout()
	if file == "-" {
		to = cmd.ErrOrStderr()
	}
	return f.report(to, report, seconds)
}

func (f *exportFlags) report(out io.Writer, r dump.ExportReport, seconds float64) error {
	if f.asJSON {
		return json.NewEncoder(out).Encode(struct {
			dump.ExportReport
			Consistent bool    `json:"consistent"`
			Seconds    float64 `json:"seconds"`
		}{r, r.Consistent(), seconds})
	}
	at := fmt.Sprintf("at version %d, a consistent snapshot", r.FirstVersion)
	if !r.Consistent() {
		at = fmt.Sprintf("at %d versions from %d to %d: NOT a consistent snapshot if anybody wrote meanwhile",
			r.Versions, r.FirstVersion, r.LastVersion)
	}
	_, err := fmt.Fprintf(out, "exported %s (%s) in %.1f s, %s\n", quantity(r.Rows, "row"), formatBytes(r.Bytes), seconds, at)
	return err
}

// output is where an export goes: standard output, or a file that gets its
// name when it is complete.
type output struct {
	io.Writer
	file *os.File // nil for standard output
	name string
}

// openOutput opens the file that is to become name, or standard output for
// "-".
func openOutput(cmd *cobra.Command, name string, overwrite bool) (*output, error) {
	if name == "-" {
		return &output{Writer: &interruptibleWriter{ctx: cmd.Context(), out: cmd.OutOrStdout()}}, nil
	}
	switch info, err := os.Stat(name); {
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file; give -, and send standard output there", name)
	case err == nil && !overwrite:
		return nil, fmt.Errorf("%s exists already: give another name, or --overwrite", name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".partial-*")
	if err != nil {
		return nil, err
	}
	return &output{Writer: f, file: f, name: name}, nil
}

// keep makes the file durable and gives it its name.
func (o *output) keep() error {
	if o.file == nil {
		return nil
	}
	if err := errors.Join(o.file.Sync(), o.file.Close()); err != nil {
		return errors.Join(err, os.Remove(o.file.Name()))
	}
	return os.Rename(o.file.Name(), o.name)
}

// discard removes what was written.
func (o *output) discard() error {
	if o.file == nil {
		return nil
	}
	return errors.Join(o.file.Close(), os.Remove(o.file.Name()))
}
