// Package hostcall is what a simulated program says to its host: the lines of
// its trace, and in the end its report. As a native program it prints them.
package hostcall
