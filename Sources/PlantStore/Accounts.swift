package import PlantDomain
package import Sealing

/// What came of an attempt to sign in.
package enum SignInOutcome: Sendable {
    /// - token: names the session; shown this once, kept hashed.
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

    /// - Parameter place: what is throttled. The session it names ends, so that nobody can plant one.
    package func signIn(
        _ place: SignInPlace, password: Secret, userAgent: String?, from origin: Origin, at now: Timestamp
    ) async throws -> SignInOutcome {
        let place = SignInPlace(
            email: User.email(place.email) ?? place.email, address: place.address, session: place.session)
        let attempt: SignInAttempt
        switch try await store.beginSignIn(place, at: now) {
        case .wait(let seconds): return .wait(seconds)
        case .counted(let counted): attempt = counted
        }
        let account = try await store.user(email: place.email)
        // An account that does not exist takes as long as one that does.
        let isRight = try await verify(password, against: account?.passwordHash ?? PasswordHash.decoy, attempt)
        guard let account, isRight else {
            try await store.record("auth.sign_in_failed", account.map { .user($0.user) }, by: origin, at: now)
            return .refused
        }
        let user = account.user
        let token = Secret(try Crypto.randomToken())
        let actor = Origin(
            .user, id: user.id, name: user.email, address: origin.address, correlationID: origin.correlationID)
        // The password may have been changed while its old one was being looked at.
        let isMade = try await store.createSession(
            Self.hash(token), of: user, verified: account.passwordHash, attempt, from: place, userAgent: userAgent,
            by: actor, at: now)
        guard isMade else { return .refused }
        if PasswordHash.needsRehash(account.passwordHash), let renewed = try? await passwords.hash(password) {
            // A matter of convenience: if it fails, the next sign-in does it.
            try? await store.renewPasswordHash(of: user.id, from: account.passwordHash, to: renewed)
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
        of user: User, from current: Secret, to new: Secret, keeping session: [UInt8], by origin: Origin,
        at now: Timestamp
    ) async throws -> PasswordChange {
        let place = SignInPlace(email: user.email, address: origin.address ?? "", session: session)
        let attempt: SignInAttempt
        switch try await store.beginSignIn(place, at: now) {
        case .wait(let seconds): return .wait(seconds)
        case .counted(let counted): attempt = counted
        }
        let known = try await store.user(email: user.email)
        guard let known, known.user.id == user.id,
            try await verify(current, against: known.passwordHash, attempt)
        else { return .wrongPassword }
        try await store.forgive(attempt)
        let hash = try await passwords.hash(new)
        let isChanged = try await store.setPassword(
            of: user.id, hash: hash, verified: known.passwordHash, keeping: session, by: origin, at: now)
        return isChanged ? .done : .wrongPassword
    }

    /// - Throws: `Unavailable` when too many passwords are being looked at; then the attempt counts for nothing.
    private func verify(_ password: Secret, against hash: String, _ attempt: SignInAttempt) async throws -> Bool {
        do {
            return try await passwords.verify(password, against: hash, isKnown: attempt.isKnown)
        } catch {
            try await store.forgive(attempt)
            throw error
        }
    }

    /// - Throws: `Unavailable` when too many passwords are being hashed already.
    package func hash(_ password: Secret) async throws -> String { try await passwords.hash(password) }

    /// Of a token, as it is kept. Tokens are random: there is nothing to guess, and no salt is needed.
    package static func hash(_ token: Secret) -> [UInt8] { token.withBytes { Crypto.sha256($0) } }
}
