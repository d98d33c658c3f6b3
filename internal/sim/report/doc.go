// Package report is what a simulated run tells its host when it ends, in the
// form that crosses from one to the other.
package report
