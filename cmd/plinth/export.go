package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cmd/plinth/internal/dump"
	"github.com/plinthdb/plinth/cmd/plinth/internal/partial"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

type exportFlags struct {
	storeFlags
	rowFlags
	oneVersion bool
	overwrite  bool
	resume     bool
	asJSON     bool
	// files are what FILE is kept in.
	files partial.FS
}

func newExportCommand(env *environment) *cobra.Command { return newExportTo(env, partial.Disk()) }

// newExportTo is newExportCommand for files that are elsewhere.
func newExportTo(env *environment, files partial.FS) *cobra.Command {
	flags := exportFlags{storeFlags: storeFlags{mustExist: true}, files: files}
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
--overwrite is given.

Until then the rows are in FILE.partial, and about once a second, and when the
export is interrupted or fails, FILE.partial.note notes how much of it is sure.
After an interruption, a crash or a kill, --resume goes on behind that, with the
same store, range and format. It goes on at a newer version: rows before that
place are as they were, and the report counts all versions. An export to
standard output, or of --one-version, cannot go on.`,
		Example: `  plinth export --dir data rows.txt
  plinth export --dir data --resume rows.txt
  plinth export --dir data - | gzip > rows.txt.gz
  plinth export --dir data --prefix 'user/' users.txt
  plinth export --dir data --format json - | jq -r .key
  plinth export --dir data --overwrite --json rows.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			if flags.resume && slices.Contains(args, "-") {
				return errors.New("an export to standard output cannot go on: give a file, or leave out --resume")
			}
			return oneArgument("FILE", "the file to write, - for standard output")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.with(env, cmd, func(db *kv.Database, store *embedded.Store) error {
				return flags.run(cmd, db, store, args[0])
			})
		},
	}
	flags.addDir(cmd)
	flags.addRows(cmd, dump.Formats()...)
	cmd.Flags().BoolVar(&flags.oneVersion, "one-version", false, "fail if the rows cannot all be read at one version")
	cmd.Flags().BoolVar(&flags.overwrite, "overwrite", false, "replace FILE if it exists; without --resume also what an export that has stopped has left")
	cmd.Flags().BoolVar(&flags.resume, "resume", false, "go on with an export to FILE that has stopped")
	cmd.MarkFlagsMutuallyExclusive("resume", "one-version")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print the report as JSON")
	return cmd
}

func (f *exportFlags) run(cmd *cobra.Command, db *kv.Database, store *embedded.Store, file string) error {
	if file == "-" {
		out := &interruptibleWriter{ctx: cmd.Context(), out: cmd.OutOrStdout()}
		report, seconds, err := f.export(cmd, db, store, out, dump.ExportOptions{})
		if err != nil {
			return fmt.Errorf("export to %s: %w", file, err)
		}
		return f.report(cmd.ErrOrStderr(), report, seconds)
	}
	out, from, err := f.openOutput(cmd, db, file)
	if err != nil {
		return err
	}
	report, seconds, err := f.export(cmd, db, store, out, dump.ExportOptions{From: from, Checkpoint: out.Reached})
	if err != nil {
		return errors.Join(fmt.Errorf("export to %s: %w", file, err), f.leave(cmd, out, file))
	}
	if err := out.Keep(); err != nil {
		return errors.Join(fmt.Errorf("export to %s: %w", file, err), f.leave(cmd, out, file))
	}
	return f.report(cmd.OutOrStdout(), report, seconds)
}

// export writes the rows to out.
func (f *exportFlags) export(cmd *cobra.Command, db *kv.Database, store *embedded.Store, out io.Writer, options dump.ExportOptions) (dump.ExportReport, float64, error) {
	progress := newExportProgress(cmd.ErrOrStderr(), options.From.Rest(f.keys), func(begin, end []byte) (int64, error) {
		return store.EstimateBytes(cmd.Context(), begin, end)
	})
	options.Range, options.Format, options.OneVersion, options.Progress = f.keys, f.format.value, f.oneVersion, progress.add
	report, err := dump.Export(cmd.Context(), db, out, options)
	return report, progress.meter.end().Seconds(), err
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
	if r.ResumedAfterRow > 0 {
		at = fmt.Sprintf("%d of them earlier, %s", r.ResumedAfterRow, at)
	}
	_, err := fmt.Fprintf(out, "exported %s (%s) in %.1f s, %s\n", quantity(r.Rows, "row"), formatBytes(r.Bytes), seconds, at)
	return err
}
