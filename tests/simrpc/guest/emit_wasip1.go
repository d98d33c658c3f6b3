package main

import (
	"unsafe"

	"github.com/plinthdb/plinth/internal/sim/report"
)

//go:wasmimport plinth_sim trace
func hostTrace(data unsafe.Pointer, bytes uint32)

//go:wasmimport plinth_sim report
func hostReport(data unsafe.Pointer, bytes uint32)

// emitTrace hands a line over to the host.
func emitTrace(line []byte) { hostTrace(unsafe.Pointer(unsafe.SliceData(line)), uint32(len(line))) }

// emitReport hands the report over to the host.
func emitReport(r *report.Report) error {
	data, err := r.Encode()
	if err == nil {
		hostReport(unsafe.Pointer(unsafe.SliceData(data)), uint32(len(data)))
	}
	return err
}
