import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

@Suite struct AccessStoreTests {
    private let now = Timestamp.now()

    private func token(_ store: Store, uses: Int = 1, hours: Int = 1) async throws -> [UInt8] {
        let hash = Accounts.hash(Secret(try Crypto.randomToken()))
        try await store.createEnrollmentToken(
            EnrollmentToken(label: "test", maxUses: uses, hours: hours, at: now), hash: hash, by: testOrigin)
        return hash
    }

    private func offer(
        _ store: Store, _ device: Device, _ rule: EnrollmentRule, at time: Timestamp? = nil
    ) async throws -> Result<CredentialsOffer, EnrollmentRefusal> {
        try await store.offerCredentials(
            registering: device, rule: rule, sealer: try testSealer(), from: testOrigin, at: time ?? now)
    }

    private func refusal(_ result: Result<CredentialsOffer, EnrollmentRefusal>) -> EnrollmentRefusal? {
        if case .failure(let refusal) = result { refusal } else { nil }
    }

    @Test func `a token lets in as many devices as it may, however many ask at once`() async throws {
        let store = try TestDatabase().store(connections: 8)
        let hash = try await token(store, uses: 3)
        let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask { try self.refusal(await self.offer(store, .sample(), .token(hash))) == nil }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(admitted == 3)
        #expect(try await store.enrollmentTokens(limit: 5, offset: 0).items.map(\.uses) == [3])
    }

    @Test func `each refusal says why`() async throws {
        let store = try TestDatabase().store()
        let hash = try await token(store)
        let device = try Device.sample()
        #expect(try refusal(await offer(store, device, .token(nil))) == .tokenMissing)
        #expect(try refusal(await offer(store, device, .token([1]))) == .tokenUnknown)
        let late = now.adding(seconds: 3601)
        #expect(try refusal(await offer(store, device, .token(hash), at: late)) == .tokenExpired)
        try await store.register(device, rule: .token(hash))
        #expect(try refusal(await offer(store, .sample(), .token(hash))) == .tokenUsedUp)
        _ = try await store.updateDevice(
            device.id, name: .unchanged, reportingIntervalSeconds: .unchanged, isEnabled: .set(false), by: testOrigin,
            at: now)
        #expect(try refusal(await offer(store, device, .open)) == .deviceDisabled)
        // A stranger is not told which devices there are.
        #expect(try refusal(await offer(store, device, .token(nil))) == .tokenMissing)
    }

    @Test func `an offer the broker never heard of costs nothing`() async throws {
        let store = try TestDatabase().store()
        let hash = try await token(store)
        let device = try Device.sample()
        let first = try await offer(store, device, .token(hash)).get()
        try await store.withdraw(first)
        #expect(try await store.device(first.device) == nil)
        // Not even for somebody else.
        try await store.register(.sample(), rule: .token(hash))
        #expect(try refusal(await offer(store, device, .token(hash))) == .tokenUsedUp)
    }

    @Test func `a device that did not get its answer may ask once more, until it is heard of`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let hash = try await token(store)
        let device = try Device.sample()
        let first = try await store.register(device, rule: .token(hash))
        // In vain, and then once more.
        try await store.withdraw(offer(store, device, .token(hash)).get())
        let second = try await store.register(device, rule: .token(hash))
        #expect(first.device == second.device)
        #expect(try refusal(await offer(store, .sample(), .token(hash))) == .tokenUsedUp)
        try PostgresConnection(database.options).execute(
            "INSERT INTO device_state (device_id, last_seen_at) VALUES ('\(first.device)', now())")
        #expect(try refusal(await offer(store, device, .token(hash))) == .tokenUsedUp)
    }

    @Test func `only the newest offer is accepted, and only in time`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let sealer = try testSealer()
        let device = try Device.sample()
        func accept(_ offer: CredentialsOffer) async throws -> Bool {
            try await store.accept(offer, action: "device.register", sealer: sealer, by: testOrigin, at: now) != nil
        }
        let first = try await offer(store, device, .open).get()
        let second = try await offer(store, device, .open).get()
        #expect(try await !accept(first))
        let connection = try PostgresConnection(database.options)
        try connection.execute("UPDATE devices SET offered_at = now() - INTERVAL '26 seconds'")
        #expect(try await !accept(second))
        try connection.execute("UPDATE devices SET offered_at = now()")
        #expect(try await accept(second))
        let entry = try #require(try await store.brokerEntry(of: second.device))
        #expect(entry.credentialsID == second.id)
        #expect(entry.underWay == nil)
        #expect(try Store.password(of: entry, sealer: sealer)?.reveal() == second.password.reveal())
    }

    @Test func `what waits for approval is not pushed aside from elsewhere, and can be turned away`() async throws {
        let store = try TestDatabase().store()
        let sealer = try testSealer()
        let device = try Device.sample()
        func ask(from address: String) async throws -> Result<CredentialsOffer, EnrollmentRefusal> {
            try await store.offerCredentials(
                registering: device, rule: .approval, sealer: sealer, from: Origin(.anonymous, address: address),
                at: now)
        }
        let first = try await ask(from: "192.0.2.1").get()
        _ = try await store.accept(first, action: "device.register", sealer: sealer, by: testOrigin, at: now)
        #expect(try refusal(await ask(from: "192.0.2.66")) == .othersWait)
        #expect(try await store.device(first.device)?.requestedFrom == "192.0.2.1")
        // The device itself may repeat it.
        let again = try await ask(from: "192.0.2.1").get()
        _ = try await store.accept(again, action: "device.register", sealer: sealer, by: testOrigin, at: now)
        #expect(try await store.approve(first.device, sealer: sealer, by: testOrigin, at: now))
        // Let in: what a stranger says of it changes nothing.
        var other = try #require(try await store.device(first.device))
        other.reportingIntervalSeconds = 86_400
        let stranger = Origin(.anonymous, address: "192.0.2.66")
        _ = try await store.offerCredentials(
            registering: other, rule: .approval, sealer: sealer, from: stranger, at: now
        ).get()
        #expect(try await store.device(first.device)?.reportingIntervalSeconds == nil)
        #expect(try await store.reject(first.device, by: testOrigin, at: now) == .done)
        #expect(try await store.reject(first.device, by: testOrigin, at: now) == .nothingWaits)
        #expect(try await store.brokerEntry(of: first.device)?.credentialsID == again.id)
    }

    @Test func `strangers cannot fill the list of those who wait`() async throws {
        let store = try TestDatabase().store()
        var refusals: [EnrollmentRefusal?] = []
        for _ in 0..<22 {
            let result = try await store.offerCredentials(
                registering: .sample(), rule: .approval, sealer: try testSealer(),
                from: Origin(.anonymous, address: "192.0.2.1"), at: now)
            refusals.append(refusal(result))
        }
        #expect(refusals == Array(repeating: nil, count: 20) + [.tooManyWaiting, .tooManyWaiting])
        let elsewhere = try await store.offerCredentials(
            registering: .sample(), rule: .approval, sealer: try testSealer(),
            from: Origin(.anonymous, address: "192.0.2.2"), at: now)
        #expect(refusal(elsewhere) == nil)
        try await store.trimAccess(at: now.adding(seconds: 3700))
        #expect(try await store.brokerEntries().isEmpty)
    }

    @Test func `a known device keeps its credentials until its new ones are approved`() async throws {
        let store = try TestDatabase().store()
        let sealer = try testSealer()
        let device = try Device.sample()
        let first = try await store.register(device, rule: .approval, sealer: sealer)
        #expect(first.approval == .awaited)
        #expect(try await store.brokerEntry(of: first.device)?.mayConnect == false)
        #expect(try await store.approve(first.device, sealer: sealer, by: testOrigin, at: now))
        #expect(try await store.brokerEntry(of: first.device)?.mayConnect == true)
        let second = try await offer(store, device, .approval).get()
        #expect(second.approval == .awaitedBehindOldCredentials)
        let between = try #require(try await store.brokerEntry(of: first.device))
        #expect((between.credentialsID, between.underWay, between.mayConnect) == (first.id, nil, true))
        #expect(try await store.device(first.device)?.isApproved == false)
        #expect(try await store.approve(first.device, sealer: sealer, by: testOrigin, at: now))
        let after = try #require(try await store.brokerEntry(of: first.device))
        #expect(after.credentialsID == second.id)
        #expect(try Store.password(of: after, sealer: sealer)?.reveal() == second.password.reveal())
        #expect(try await store.device(first.device)?.isApproved == true)
    }

    // MARK: sealed values

    @Test func `rotation seals everything anew, goes on where it stopped, and names what is lost`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        var offers: [CredentialsOffer] = []
        for key in ["1", "1", "2", "3"] {
            offers.append(try await store.register(.sample(), sealer: try testSealer(key)))
        }
        let sealer = try testSealer("2", old: ["1"])
        let column = SealedColumn.all[0]
        let outcome = try await store.reseal(column, sealer: sealer)
        #expect((outcome.resealed, outcome.current) == (2, 1))
        #expect(outcome.lost.count == 1)
        #expect(outcome.lost.first?.contains(offers[3].device.description) == true)
        let again = try await store.reseal(column, sealer: try testSealer("2", old: ["3"]))
        #expect((again.resealed, again.current, again.lost.count) == (1, 3, 0))
        for offer in offers {
            let entry = try #require(try await store.brokerEntry(of: offer.device))
            #expect(try Store.password(of: entry, sealer: try testSealer("2"))?.reveal() == offer.password.reveal())
        }
    }

    @Test func `every sealed column is known to the rotation`() async throws {
        let database = try TestDatabase()
        // A password is bytea and not a hash; whoever adds such a column adds it to SealedColumn.all or here.
        let plain: Set = [
            "sessions.token_hash", "api_tokens.token_hash", "enrollment_tokens.token_hash", "sign_in_attempts.key",
            "sign_in_places.place",
            "dead_letters.payload", "device_state.alert_memory", "care_plans.input_hash",
        ]
        let columns = try database.text(
            """
            SELECT string_agg(table_name || '.' || column_name, ' ') FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type = 'bytea'
            """)
        let sealed = Set((columns ?? "").split(separator: " ").map(String.init)).subtracting(plain)
        #expect(sealed == Set(SealedColumn.all.map { "\($0.table).\($0.column)" }))
    }

    @Test func `a sealed password moved to another device does not open`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let (one, other) = (try await store.register(.sample()), try await store.register(.sample()))
        _ = try database.int(
            """
            WITH moved AS (UPDATE devices SET mqtt_password = (SELECT mqtt_password FROM devices WHERE id = '\(one.device)')
            WHERE id = '\(other.device)' RETURNING 1) SELECT count(*) FROM moved
            """)
        let entry = try #require(try await store.brokerEntry(of: other.device))
        #expect(throws: SealedValueError.tampered) { try Store.password(of: entry, sealer: try testSealer()) }
    }

    // MARK: people

    private func user(_ role: UserRole, _ name: String) -> User {
        User(id: .make(at: now), email: "\(name)@example.org", role: role, createdAt: now, updatedAt: now)
    }

    @Test func `the last admin stays, also when two go for each other at once`() async throws {
        let store = try TestDatabase().store(connections: 4)
        let (one, two) = (user(.admin, "one"), user(.admin, "two"))
        for admin in [one, two] { _ = try await store.createUser(admin, passwordHash: "x", by: testOrigin) }
        async let first = store.deleteUser(one.id, by: testOrigin, at: now)
        async let second = store.updateUser(
            two.id, email: nil, role: .viewer, passwordHash: nil, by: testOrigin, at: now)
        let outcomes = try await [first, second]
        #expect(outcomes.filter { $0 == .lastAdmin }.count == 1)
        let admins = try await store.users(limit: 10, offset: 0).items.filter { $0.role == .admin }
        #expect(admins.count == 1)
    }

    @Test func `the first user is made once, however many backends start`() async throws {
        let database = try TestDatabase()
        let store = database.store(connections: 6)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                let user = user(.admin, "admin\(number)")
                group.addTask { _ = try await store.createFirstUser(user, passwordHash: "x", by: testOrigin) }
            }
            try await group.waitForAll()
        }
        #expect(try database.int("SELECT count(*) FROM users") == 1)
    }

    private func place(_ email: String, _ address: String, session: [UInt8]? = nil) -> SignInPlace {
        SignInPlace(email: email, address: address, session: session)
    }

    private func wait(_ store: Store, _ place: SignInPlace) async throws -> Double {
        switch try await store.beginSignIn(place, at: now) {
        case .counted: 0
        case .wait(let seconds): seconds
        }
    }

    @Test func `attempts made at the same time count, too, and those that must wait leave nothing`() async throws {
        let database = try TestDatabase()
        let store = database.store(connections: 8)
        let waits = try await withThrowingTaskGroup(of: Double.self) { group in
            for _ in 0..<20 { group.addTask { try await wait(store, place("a@b", "192.0.2.1")) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(waits.filter { $0 == 0 }.count == 10)
        // Somebody else, and the same person elsewhere, do not notice.
        #expect(try await wait(store, place("c@d", "192.0.2.1")) == 0)
        #expect(try await wait(store, place("a@b", "192.0.2.2")) == 0)
        let rows = try database.int("SELECT count(*) FROM sign_in_attempts")
        _ = try await wait(store, place("a@b", "192.0.2.1"))
        #expect(try database.int("SELECT count(*) FROM sign_in_attempts") == rows)
    }

    /// - Returns: the hash of the new session.
    private func signIn(
        _ store: Store, _ user: User, _ place: SignInPlace, verified: String = "x"
    ) async throws -> [UInt8]? {
        guard case .counted(let attempt) = try await store.beginSignIn(place, at: now) else { return nil }
        let hash = Accounts.hash(Secret(try Crypto.randomToken()))
        let isMade = try await store.createSession(
            hash, of: user, verified: verified, attempt, from: place, userAgent: nil, by: testOrigin, at: now)
        return isMade ? hash : nil
    }

    @Test func `an attacked account stays open for where its owner signs in from`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let owner = user(.admin, "owner")
        _ = try await store.createUser(owner, passwordHash: "x", by: testOrigin)
        let home = place(owner.email, "192.0.2.1")
        let session = try #require(try await signIn(store, owner, home))
        for number in 0..<101 { _ = try await wait(store, place(owner.email, "198.51.100.\(number)")) }
        let elsewhere = place(owner.email, "203.0.113.1")
        #expect(try await wait(store, elsewhere) > 0)
        #expect(try await wait(store, home) == 0)
        // The owner's own sign-ins give nobody elsewhere another guess.
        _ = try #require(try await signIn(store, owner, home))
        #expect(try await wait(store, elsewhere) > 0)
        // On the road, the browser is known.
        #expect(try await wait(store, place(owner.email, "203.0.113.1", session: session)) == 0)
        #expect(try await wait(store, place("other@example.org", "203.0.113.1", session: session)) == 0)
    }

    @Test func `whoever shares the owner's address cannot lock out the owner's browser`() async throws {
        let store = try TestDatabase().store()
        let owner = user(.admin, "owner")
        _ = try await store.createUser(owner, passwordHash: "x", by: testOrigin)
        let session = try #require(try await signIn(store, owner, place(owner.email, "192.0.2.1")))
        for _ in 0..<40 { _ = try await wait(store, place(owner.email, "192.0.2.1")) }
        #expect(try await wait(store, place(owner.email, "192.0.2.1")) > 0)
        #expect(try await wait(store, place(owner.email, "192.0.2.1", session: session)) == 0)
    }

    @Test func `a password changed while its old one was looked at lets nobody in`() async throws {
        let store = try TestDatabase().store()
        let owner = user(.admin, "owner")
        _ = try await store.createUser(owner, passwordHash: "old", by: testOrigin)
        #expect(
            try await store.setPassword(
                of: owner.id, hash: "new", verified: "old", keeping: nil, by: testOrigin, at: now))
        #expect(try await signIn(store, owner, place(owner.email, "192.0.2.1"), verified: "old") == nil)
        #expect(
            try await !store.setPassword(
                of: owner.id, hash: "mine", verified: "old", keeping: nil, by: testOrigin, at: now))
        #expect(try await signIn(store, owner, place(owner.email, "192.0.2.1"), verified: "new") != nil)
    }

    @Test func `what anybody can cause pushes nothing else out of the log`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        _ = try await store.createUser(user(.admin, "first"), passwordHash: "x", by: testOrigin)
        try PostgresConnection(database.options).execute(
            """
            INSERT INTO audit_log (id, at, actor_kind, action, is_frequent)
            SELECT ('01a00000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now(), 'anonymous', 'auth.sign_in_failed', true
            FROM generate_series(1, \(Store.frequentAuditKept + 50)) n
            """)
        try await store.trimAccess(at: now)
        #expect(try database.int("SELECT count(*) FROM audit_log WHERE is_frequent") == Store.frequentAuditKept)
        #expect(try database.int("SELECT count(*) FROM audit_log WHERE action = 'user.create'") == 1)
        try await store.trimAccess(at: now.adding(seconds: Double(Store.auditKeptDays + 1) * 86_400))
        #expect(try database.int("SELECT count(*) FROM audit_log") == 0)
    }

    @Test func `a setting keeps the value it was first given`() async throws {
        let store = try TestDatabase().store()
        #expect(try await store.setting("x", initially: "one \"quoted\"") == "one \"quoted\"")
        #expect(try await store.setting("x", initially: "two") == "one \"quoted\"")
    }
}
