#!/usr/bin/perl
# timed.pl ROUNDS PREPARE COMMAND...: wall time of commands, interleaved;
# the median of each in milliseconds.  PREPARE (a shell line, may be empty)
# is run before each, untimed, with $round and $which set; a COMMAND is
# one or more programs joined by " && ", run without a shell.
use strict;
use warnings;
use Time::HiRes qw(time);

my ($rounds, $prepare, @commands) = @ARGV;
my @all;
open(my $null, '>', '/dev/null') or die;
open(my $out, '>&', \*STDOUT) or die;
open(STDOUT, '>&', $null) or die;
for my $round (1 .. $rounds) {
	for my $which (0 .. $#commands) {
		$ENV{round} = $round;
		$ENV{which} = $which;
		if ($prepare ne '' && system($prepare) != 0) {
			die "timed: $prepare: failed\n";
		}
		my @steps = map { [split ' '] } split / && /, $commands[$which];
		my $began = time;
		for my $step (@steps) {
			my $rc = system({ $step->[0] } @$step) >> 8;
			die "timed: @$step: exit $rc\n" if $rc > 1;
		}
		push @{$all[$which]}, (time - $began) * 1000;
	}
}
print $out join(' ', map {
	my @v = sort { $a <=> $b } @$_;
	sprintf('%.2f', $v[@v / 2])
} @all), "\n";
