// Package kvclient lets the stack machine run on package kv, with kv/tuple,
// kv/subspace and kv/directory.
//
// Where kv's API differs from that of FoundationDB's bindings it does what a
// person would who translates a program: a streaming mode has no meaning but
// that exact needs a limit.
package kvclient
