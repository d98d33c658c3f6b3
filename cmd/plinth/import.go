package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// badLinesShown is how many bad lines are printed; the others are counted.
const badLinesShown = 100

type importFlags struct {
	storeFlags
	rowFlags
	onError errorMode
	resume  bool
	asJSON  bool
}

func newImportCommand(env *environment) *cobra.Command {
	flags := importFlags{onError: stopOnError}
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Set the rows that the lines of a file hold",
		Long: `Read rows as lines from FILE, or from standard input if it is -, and set them in
the store, which is made if there is none in the directory.

A line of text is key, tab, value. In both \xNN is a byte and \\ a backslash;
printable characters stand for themselves. With --format json a line is an
object of two strings, "key" and "value", each in UTF-8, or "key_base64" and
"value_base64" for bytes. 'plinth export' writes such lines. They may be in any
order; of two lines with one key the later wins.

The file is committed in batches, several at a time, so it is not one
transaction. A bad line ends the import: the lines before it are imported, none
after. With --on-error continue it is reported and passed over, and the exit
status is 1 in the end. To import the same file again does no harm.

About once a second, and at the end of an import that is interrupted or fails,
the file IMPORT in the data directory notes up to which line everything is
imported. After an interruption, a crash or a kill, --resume goes on behind that
line, if the file still begins with the same lines. The rows before it are not
set again, even if somebody has changed them since; a few behind it may be set a
second time.`,
		Example: `  plinth import --dir data rows.txt
  plinth import --dir data --resume rows.txt
  plinth import --dir data --format json rows.jsonl
  zcat rows.txt.gz | plinth import --dir data -
  plinth import --dir data --prefix user/ --on-error continue rows.txt
  plinth import --dir data --json rows.txt`,
		Args: oneArgument("FILE", "the file to read, - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// A file that is not there must not leave a new store behind.
			in, err := openInput(cmd, args[0])
			if err != nil {
				return err
			}
			err = flags.with(env, cmd, func(db *kv.Database, _ *embedded.Store) error { return flags.run(cmd, db, in) })
			return errors.Join(err, in.Close())
		},
	}
	flags.addDir(cmd)
	flags.addRows(cmd, dump.Text, dump.JSON)
	cmd.Flags().Var(&flags.onError, "on-error", "what a bad line does: `stop` or continue")
	completeFlag(cmd, "on-error", string(stopOnError), string(continueOnError))
	cmd.Flags().BoolVar(&flags.resume, "resume", false, "go on behind the last line that is known to be imported")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print the report as JSON")
	return cmd
}

func (f *importFlags) run(cmd *cobra.Command, db *kv.Database, in *input) error {
	errOut := cmd.ErrOrStderr()
	note := newImportNote(f.dir, in.name, f.rowFlags)
	from, err := note.begin(errOut, f.resume)
	if err != nil {
		return fmt.Errorf("import %s: %w", in.name, err)
	}
	meter := newMeter(errOut, "imported", in.bytes)
	report, err := dump.Import(cmd.Context(), db, in, dump.ImportOptions{
		Range:           f.keys,
		Format:          f.format.value,
		ContinueOnError: f.onError == continueOnError,
		Bad:             badLinePrinter(errOut, in.name),
		Progress:        meter.add,
		From:            from,
		Checkpoint:      note.reached,
	})
	seconds := meter.end().Seconds()
	noteErr := note.end(err == nil)
	f.explain(errOut, in.name, report, err)
	switch {
	case err != nil:
		err = fmt.Errorf("import %s: %w", in.name, err)
	case report.BadLines > 0:
		err = fmt.Errorf("import %s: %s could not be imported", in.name, quantity(report.BadLines, "bad line"))
	}
	return errors.Join(err, noteErr, f.report(cmd.OutOrStdout(), report, seconds))
}

// explain says what is to be known of an import that did not go through.
func (f *importFlags) explain(out io.Writer, name string, r dump.ImportReport, err error) {
	if r.Unfinished {
		fmt.Fprintf(out, "plinth: the last line of %s has no line end: the file may have been cut short\n", name)
	}
	if err == nil || r.ImportedToLine == 0 || errors.Is(err, dump.ErrOtherInput) {
		return
	}
	behind := "Of the lines behind it some may be, too."
	if r.Interrupted || errors.As(err, new(dump.BadLine)) {
		behind = "None behind it is."
	}
	fmt.Fprintf(out, "plinth: %s is imported up to line %d. %s To go on there import it again with --resume; all of it again does no harm.\n",
		name, r.ImportedToLine, behind)
}

// report prints what was imported, also if it is not everything.
func (f *importFlags) report(out io.Writer, r dump.ImportReport, seconds float64) error {
	if f.asJSON {
		return json.NewEncoder(out).Encode(struct {
			dump.ImportReport
			Seconds float64 `json:"seconds"`
		}{r, seconds})
	}
	_, err := fmt.Fprintf(out, "imported %s (%s) of %s in %s, %.1f s", quantity(r.Rows, "row"), formatBytes(r.Bytes),
		quantity(r.Lines-r.ResumedAfterLine, "line"), quantity(r.Transactions, "transaction"), seconds)
	if r.Skipped > 0 {
		fmt.Fprintf(out, "; %s outside of the range left out", quantity(r.Skipped, "row"))
	}
	if r.ResumedAfterLine > 0 {
		fmt.Fprintf(out, "; %s before were imported earlier", quantity(r.ResumedAfterLine, "line"))
	}
	fmt.Fprintln(out)
	return err
}

// badLinePrinter prints bad lines, up to a limit.
func badLinePrinter(out io.Writer, file string) func(dump.BadLine) {
	count := 0
	return func(bad dump.BadLine) {
		switch count++; {
		case count <= badLinesShown:
			fmt.Fprintf(out, "plinth: %s: %v\n", file, bad)
		case count == badLinesShown+1:
			fmt.Fprintf(out, "plinth: %s: further bad lines are only counted\n", file)
		}
	}
}

// errorMode is the value of --on-error.
type errorMode string

const (
	stopOnError     errorMode = "stop"
	continueOnError errorMode = "continue"
)

// String returns the mode's name.
func (m *errorMode) String() string { return string(*m) }

// Type names the kind of value in the help text.
func (m *errorMode) Type() string { return "mode" }

// Set accepts the name of a mode.
func (m *errorMode) Set(name string) error {
	switch mode := errorMode(name); mode {
	case stopOnError, continueOnError:
		*m = mode
		return nil
	}
	return fmt.Errorf("unknown mode %q: use stop or continue", name)
}
