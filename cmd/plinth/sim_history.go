package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/internal/sim/history"
	"github.com/plinthdb/plinth/internal/sim/host"
)

// checkHistoryFile refuses names whose ending is no format.
func checkHistoryFile(name string) error {
	if name != "" && !slices.Contains(history.Formats(), filepath.Ext(name)) {
		return fmt.Errorf("--history %s: the name must end with one of %s, which says in which format to write", name, strings.Join(history.Formats(), " "))
	}
	return nil
}

// historian writes what was recorded of one run to a file, or to one for each
// workload that recorded: of the first run that failed, else of the first.
type historian struct {
	campaigner
	file string
	// seed is that of the run, recorded what there is of it; failed says that it
	// failed.
	seed     uint64
	recorded map[string]json.RawMessage
	failed   bool
}

// Campaign implements campaigner.
func (h *historian) Campaign(ctx context.Context, config host.CampaignConfig, each func(*host.Result, *host.Totals)) *host.Totals {
	return h.campaigner.Campaign(ctx, config, func(r *host.Result, totals *host.Totals) {
		if h.file != "" && r.Report != nil && len(r.Report.Histories) > 0 {
			if failed := r.Outcome != host.Passed; h.recorded == nil || failed && !h.failed {
				h.seed, h.recorded, h.failed = r.Seed, r.Report.Histories, failed
			}
		}
		each(r, totals)
	})
}

// conclude writes the files and says so on progress. It fails if there is
// nothing that the format can hold.
func (h *historian) conclude(progress io.Writer) error {
	if h.file == "" {
		return nil
	}
	if h.recorded == nil {
		fmt.Fprintf(progress, "no run recorded a history; %s was not written. ListAppend, Registers and Serializability record one: name one of them with --workload\n", h.file)
		return nil
	}
	written := 0
	var failures []error
	for _, workload := range slices.Sorted(maps.Keys(h.recorded)) {
		name := h.fileOf(workload)
		if err := writeHistory(name, h.recorded[workload]); err != nil {
			failures = append(failures, fmt.Errorf("the history of %s: %w", workload, err))
			continue
		}
		written++
		fmt.Fprintf(progress, "what the clients of %s did and saw in seed %d: %s\n", workload, h.seed, name)
	}
	if written == 0 {
		return errors.Join(failures...)
	}
	for _, err := range failures {
		fmt.Fprintln(progress, err)
	}
	return nil
}

// fileOf is the file that the user has named, with the workload in its name if
// several recorded.
func (h *historian) fileOf(workload string) string {
	if len(h.recorded) == 1 {
		return h.file
	}
	ending := filepath.Ext(h.file)
	return strings.TrimSuffix(h.file, ending) + "-" + workload + ending
}

func writeHistory(name string, encoded []byte) error {
	recorded, err := history.Decode(encoded)
	if err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	if err := errors.Join(history.Export(f, recorded, filepath.Ext(name)), f.Close()); err != nil {
		if errors.Is(err, history.ErrClears) {
			err = fmt.Errorf("%w; write .txt or .json, or take a seed without clears: all of ListAppend, every third of Serializability and Registers", err)
		}
		return fmt.Errorf("--history %s: %w", name, errors.Join(err, os.Remove(name)))
	}
	return nil
}
