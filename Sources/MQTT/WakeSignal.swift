import Glibc

/// Wakes a thread that waits in `poll`, from any other thread.
///
/// A pipe that never blocks: any number of signals before the wait make one wake-up, and a signal is never missed.
package final class WakeSignal: Sendable {
    /// Readable while a signal is pending.
    package let descriptor: Int32
    private let writeEnd: Int32

    package init() {
        var ends: [Int32] = [-1, -1]
        let result = pipe(&ends)
        precondition(result == 0, "the system has no file descriptor left")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        descriptor = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(descriptor)
        close(writeEnd)
    }

    package func signal() {
        var byte: UInt8 = 1
        // EAGAIN means the pipe is full: a wake-up is pending already.
        _ = write(writeEnd, &byte, 1)
    }

    package func clear() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while read(descriptor, &bytes, 32) == 32 {}
    }
}

/// Waits until one of the descriptors is readable or the time is up.
/// - Returns: for each descriptor, whether there is something to read (or an error to be met by reading).
package func waitReadable(_ descriptors: [Int32], milliseconds: Int32) -> [Bool] {
    var set = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let ready = poll(&set, nfds_t(set.count), milliseconds)
    // EINTR and time-outs alike: nothing to read yet; the caller comes round again.
    return ready <= 0 ? set.map { _ in false } : set.map { $0.revents != 0 }
}

/// Seconds of a clock that never jumps.
package func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }
