// Package usage tells what this process uses of its machine: memory and
// processors. Where the system does not say, the answer is zero.
package usage
