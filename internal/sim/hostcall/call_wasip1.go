package hostcall

import "unsafe"

//go:wasmimport plinth_sim trace
func hostTrace(data unsafe.Pointer, bytes uint32)

//go:wasmimport plinth_sim report
func hostReport(data unsafe.Pointer, bytes uint32)

// Trace hands a line of the trace over to the host.
func Trace(line []byte) { hostTrace(unsafe.Pointer(unsafe.SliceData(line)), uint32(len(line))) }

// send hands the encoded report over to the host.
func send(data []byte) { hostReport(unsafe.Pointer(unsafe.SliceData(data)), uint32(len(data))) }
