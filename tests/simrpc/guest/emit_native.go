//go:build !wasip1

package main

import (
	"fmt"
	"os"

	"github.com/plinthdb/plinth/internal/sim/report"
)

// emitTrace prints a line, in one write, since other threads do so too.
func emitTrace(line []byte) { fmt.Fprintf(os.Stdout, "%s\n", line) }

// emitReport prints the report.
func emitReport(r *report.Report) error {
	data, err := r.Encode()
	if err == nil {
		fmt.Fprintf(os.Stdout, "%s\n", data)
	}
	return err
}
