// Package check runs programs on clients and compares what they leave behind.
package check
