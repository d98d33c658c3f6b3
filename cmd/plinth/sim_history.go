package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// historian writes the history of the first run that fails with one to a file.
type historian struct {
	campaigner
	file    string
	written bool
	err     error
}

// Campaign implements campaigner.
func (h *historian) Campaign(ctx context.Context, config host.CampaignConfig, each func(*host.Result, *host.Totals)) *host.Totals {
	return h.campaigner.Campaign(ctx, config, func(r *host.Result, totals *host.Totals) {
		if h.file != "" && !h.written && r.Report != nil && len(r.Report.History) > 0 {
			h.written = true
			h.err = writeHistory(h.file, r.Report.History)
		}
		each(r, totals)
	})
}

// conclude returns the error of writing, and says so on progress if there was
// nothing to write.
func (h *historian) conclude(progress io.Writer) error {
	if h.file != "" && !h.written {
		fmt.Fprintf(progress, "no run failed with a recorded history; %s was not written\n", h.file)
	}
	return h.err
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
		return fmt.Errorf("--history %s: %w", name, errors.Join(err, os.Remove(name)))
	}
	return nil
}
