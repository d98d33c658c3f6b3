// Package benchtest tests drivers for package bench: that a store opened by
// one does what the workloads take for granted.
//
//	func TestDriver(t *testing.T) { benchtest.Run(t, mystore.Driver()) }
package benchtest
