// Package conformance holds tests
package conformance
