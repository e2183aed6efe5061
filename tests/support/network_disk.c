/* For tests: makes every disk look like a network's, which another machine has as well.

   statfs(2) says NFS; a lock on a directory is seen by nobody else, as NFS has none for them; the
   number of this machine's present run is what BOOT_ID names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const char *there(const char *path)
{
    const char *other = getenv("BOOT_ID");
    return other && path && !strcmp(path, "/proc/sys/kernel/random/boot_id") ? other : path;
}

int statfs(const char *path, struct statfs *said)
{
    static int (*real)(const char *, struct statfs *);
    if (!real)
        real = (int (*)(const char *, struct statfs *))dlsym(RTLD_NEXT, "statfs");
    int result = real(path, said);
    said->f_type = 0x6969;
    return result;
}

int flock(int descriptor, int operation)
{
    static int (*real)(int, int);
    struct stat info;
    if (!real)
        real = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    if (!fstat(descriptor, &info) && S_ISDIR(info.st_mode))
        return 0;
    return real(descriptor, operation);
}

static int opened(const char *name, const char *path, int flags, int mode)
{
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
    return real(there(path), flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return opened("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return opened("open64", path, flags, mode);
}
