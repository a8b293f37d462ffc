package import PlantDomain
package import Sealing

/// What came of an attempt to sign in.
package enum SignInOutcome: Sendable {
    /// - token: what the client keeps; shown this once, kept hashed.
    case signedIn(User, token: Secret)
    /// Email or password is wrong; which, nobody is told.
    case refused
    /// Too many attempts; seconds to wait.
    case wait(Double)
}

/// People signing in, and their passwords.
package struct Accounts: Sendable {
    private let store: Store
    private let passwords = PasswordWorker()

    package init(store: Store) { self.store = store }

    /// - Parameters:
    ///   - origin: of the request; its address is what is throttled.
    ///   - old: hash of the session the client had; it ends, so that nobody can plant one.
    package func signIn(
        email: String, password: Secret, userAgent: String?, replacing old: [UInt8]?, from origin: Origin,
        at now: Timestamp
    ) async throws -> SignInOutcome {
        let email = User.email(email) ?? email
        let address = origin.address ?? ""
        let wait = try await store.beginSignIn(email: email, address: address, at: now)
        guard wait == 0 else { return .wait(wait) }
        let account = try await store.user(email: email)
        // An account that does not exist takes as long as one that does.
        let isRight = try await passwords.verify(password, against: account?.passwordHash ?? PasswordHash.decoy)
        guard let account, isRight else {
            try await store.record(
                "auth.sign_in_failed", account.map { .user($0.user) }, by: origin, at: now)
            return .refused
        }
        let token = Secret(try Crypto.randomToken())
        let user = account.user
        let actor = Origin(
            .user, id: user.id, name: user.email, address: origin.address, correlationID: origin.correlationID)
        try await store.createSession(
            of: user, tokenHash: Self.hash(token), userAgent: userAgent, replacing: old, by: actor, at: now)
        try await store.endSignIn(email: email, address: address)
        if PasswordHash.needsRehash(account.passwordHash) {
            let renewed = try await passwords.hash(password)
            try await store.renewPasswordHash(of: user.id, from: account.passwordHash, to: renewed)
        }
        return .signedIn(user, token: token)
    }

    package enum PasswordChange: Sendable {
        case done, wrongPassword
        case wait(Double)
    }

    /// Changes one's own password and ends one's other sessions.
    /// - Parameter session: hash of the session this is done in; it stays.
    package func changePassword(
        of user: User, from current: Secret, to new: Secret, keeping session: [UInt8]?, by origin: Origin,
        at now: Timestamp
    ) async throws -> PasswordChange {
        let address = origin.address ?? ""
        let wait = try await store.beginSignIn(email: user.email, address: address, at: now)
        guard wait == 0 else { return .wait(wait) }
        let known = try await store.user(email: user.email)
        guard let known, known.user.id == user.id,
            try await passwords.verify(current, against: known.passwordHash)
        else { return .wrongPassword }
        try await store.endSignIn(email: user.email, address: address)
        let hash = try await passwords.hash(new)
        _ = try await store.setPassword(of: user.id, hash: hash, keeping: session, by: origin, at: now)
        return .done
    }

    /// - Throws: `Unavailable` when too many passwords are being hashed already.
    package func hash(_ password: Secret) async throws -> String { try await passwords.hash(password) }

    /// Of a token, as it is kept. Tokens are random: there is nothing to guess, and no salt is needed.
    package static func hash(_ token: Secret) -> [UInt8] { token.withBytes { Crypto.sha256($0) } }
}
