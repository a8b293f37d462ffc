import Foundation

/// Puts CA certificates where the TLS library can read them: beside the state file, or into a folder of this run.
final class CertificateFiles {
    private let stateFile: String?
    private var folder: String?
    private var paths: [String: String] = [:]

    init(besides stateFile: String?) { self.stateFile = stateFile }

    func path(of certificate: String) throws(SimulatorError) -> String {
        if let path = paths[certificate] { return path }
        let number = paths.isEmpty ? "" : "-\(paths.count + 1)"
        let path =
            if let stateFile { stateFile + ".ca\(number).pem" } else { try temporaryFolder() + "/ca\(number).pem" }
        try writePrivately(Data(certificate.utf8), to: path)
        paths[certificate] = path
        return path
    }

    func cleanUp() {
        guard let folder else { return }
        self.folder = nil
        // Nothing depends on it any more; the system clears its folder of temporary files in time.
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func temporaryFolder() throws(SimulatorError) -> String {
        if let folder { return folder }
        var template = Array((NSTemporaryDirectory() + "/plantops-simulate-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else {
            throw SimulatorError(
                .state, "no temporary folder can be made: \(String(cString: strerror(errno))). Give --ca or --state.")
        }
        let path = String(cString: made)
        folder = path
        return path
    }
}
