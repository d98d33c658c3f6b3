package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"github.com/plinthdb/plinth/cluster"
)

func newCheckCommand(*environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Verify the data directory of a store that is not running",
		Long: `Read everything in a data directory and verify it: the checksum of every record
of the log and of every block of the engine, the chain of the log's versions,
the limits on keys and values, and that log and engine fit together and agree
where they overlap. It ends with the rows that the store holds and a sum over
them, which is the same for equal rows only.

Nothing that belongs to the store is changed. The store must not be running; it
cannot be opened while the check runs. The exit status is 1 if anything is
wrong; then the output says what, in which file, and what to do.`,
		Example: `  plinth check data
  plinth check --json data`,
		Args: oneArgument("DIR", "the data directory of a store"),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := cluster.Check(cmd.Context(), vfs.Default, args[0])
			if err != nil {
				return fmt.Errorf("check %s: %w", args[0], err)
			}
			if err := showCheck(cmd.OutOrStdout(), report, asJSON); err != nil {
				return err
			}
			if n := len(report.Problems); n > 0 {
				return fmt.Errorf("check %s: %s found", args[0], quantity(int64(n), "problem"))
			}
			return nil
		},
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

// showCheck prints what was looked at and what is wrong.
func showCheck(out io.Writer, r cluster.CheckReport, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	w := &writer{out: out}
	log, engine := &r.Log, &r.Engine
	w.line("%s: data directory of format %d", r.Dir, r.Format)
	w.line("log:     %s in %s, %s free; %s", quantity(int64(log.Segments), "segment"), formatBytes(log.Bytes),
		quantity(int64(log.FreeFiles), "file"), quantity(log.Records, "record"))
	if log.Found {
		w.line("         generation %d, %d batches with %s, from after version %d to %d", log.Locked,
			log.Batches, quantity(log.Mutations, "mutation"), log.Oldest(), log.End)
	}
	if engine.Found {
		w.line("engine:  %s of %s, %s on disk; at version %d", quantity(engine.Rows, "row"), formatBytes(engine.Bytes),
			formatBytes(int64(engine.DiskBytes)), engine.Version)
	}
	if engine.Replayed > 0 {
		w.line("         compared with %s of the log", quantity(int64(engine.Replayed), "version"))
	}
	if s := r.State; s != nil {
		w.line("content: %s of %s at version %d, sum %s", quantity(s.Rows, "row"), formatBytes(s.Bytes), s.Version, s.Sum)
	}
	if len(r.Problems) == 0 {
		w.line("everything is in order")
		return w.err
	}
	for _, p := range r.Problems {
		w.line("problem with the %s: %s", p.Part, p.Text)
	}
	w.line("Nothing was changed. Copy the directory before you try anything else: a damaged store does not open.")
	return w.err
}
