package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// printCosts prints what each peer's requests of a load cost: the median of the rounds, and
// the least and the most. The first row is ours: its cost by that of another is below 1
// where it is cheaper.
func printCosts(out io.Writer, rows []row, l load, size int, before string) {
	fmt.Fprintf(out, "\n%d %s, bodies of %g KB, %d rounds of %v in turns; %d processors, load %s, then %s\n",
		l.connections, connectionsWord(l.connections), float64(size)/1000, len(rows[0].costs), l.lasts, runtime.NumCPU(), before, machineLoad())
	fmt.Fprintf(out, "%-14s %30s %9s %13s %33s\n", "", "client's CPU, µs a request", "ours by", "allocations", "requests a second")
	own := median(of(rows[0].costs, cpu))
	for _, one := range rows {
		if one.failed != nil {
			fmt.Fprintf(out, "%-14s failed: %v\n", one.name, one.failed)
			continue
		}
		theirs := of(one.costs, cpu)
		allocs := "?"
		if one.told {
			allocs = fmt.Sprintf("%.2f", median(of(one.costs, func(c cost) float64 { return c.allocs })))
		}
		fmt.Fprintf(out, "%-14s %30s %9s %13s %33s\n", one.name, spread("%.2f", theirs), fmt.Sprintf("%.2f ×", own/median(theirs)), allocs, spread("%.0f", of(one.costs, perSecond)))
	}
}

// printLates prints how late the requests of each peer were at half of what it has reached.
func printLates(out io.Writer, rows []row) {
	fmt.Fprintf(out, "%-14s %13s %33s %33s\n", "at half of it", "a second", "late at the server, p99 in µs", "by the client itself, p99 in µs")
	for _, one := range rows {
		switch {
		case one.failed != nil:
			fmt.Fprintf(out, "%-14s failed: %v\n", one.name, one.failed)
		case len(one.lates) == 0:
			fmt.Fprintf(out, "%-14s keeps no rate\n", one.name)
		default:
			own := "?"
			if one.ownKnown {
				own = spread("%.0f", of(one.lates, func(l late) float64 { return micros(l.own) }))
			}
			fmt.Fprintf(out, "%-14s %13d %33s %33s\n", one.name, one.half, spread("%.0f", of(one.lates, func(l late) float64 { return micros(l.atServer) })), own)
		}
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func connectionsWord(n int) string {
	if n == 1 {
		return "connection"
	}
	return "connections"
}

func cpu(c cost) float64 { return c.cpu }

func perSecond(c cost) float64 { return c.rate }

func of[T any](all []T, amount func(T) float64) (amounts []float64) {
	for _, one := range all {
		amounts = append(amounts, amount(one))
	}
	return amounts
}

// median is the middle one, or between the two that are.
func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is the median, with the least and the most.
func spread(format string, all []float64) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", median(all), slices.Min(all), slices.Max(all))
}

// machineLoad is how many wanted a processor over the last minute, as the kernel has it.
func machineLoad() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
