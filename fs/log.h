/*
 * log.h: messages to the system's logger, which never wait for anything.
 */
#ifndef LOG_H
#define LOG_H

#define LOG_ERR		3	/* syslog(3)'s levels */
#define LOG_WARN	4
#define LOG_NOTICE	5

/* Also to standard error from now on. */
void	log_stderr(void);
/*
 * One line.  What the logger does not take at once is lost: it may itself
 * be waiting for us.
 */
void	log_msg(int level, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
