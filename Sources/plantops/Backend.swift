import Foundation
import Logging
import MQTT
import PlantAPI
import PlantDomain
import PlantPipeline
import PlantStore
import Postgres
import Sealing
import ServiceLifecycle
import Synchronization

/// The running program: its parts, and how they find each other.
struct Backend {
    private let settings: Settings
    private let roles: Set<Role>
    private let logger: Logger
    private let store: Store
    private let accounts: Accounts
    private let identity: Identity
    private let sender: ChannelSender
    private let model: LLMClient
    private let advisor: CareAdvisor
    private let stopping: Stopping
    private let events = EventHub()
    private let live = LiveInbox()
    /// nil when nothing is measured.
    private let metrics: BackendMetrics?

    init(_ settings: Settings, roles: Set<Role>, logger: Logger) {
        self.settings = settings
        self.roles = roles
        self.logger = logger
        // Before all that counts.
        metrics = settings.enablesMetrics ? BackendMetrics() : nil
        let pool = PostgresPool(
            settings.database, size: settings.databasePoolSize, observer: metrics?.poolObserver, logger: logger)
        store = Store(pool: pool)
        metrics?.observe(pool)
        metrics?.observe(events)
        metrics?.observe(diskPath: settings.diskPath, caFile: settings.caFile)
        accounts = Accounts(store: store)
        identity = Identity(settings)
        stopping = Stopping(logger: logger)
        sender = ChannelSender(
            allowed: settings.channelAllowedHosts, publicOrigin: settings.publicOrigin, version: programVersion,
            logger: logger)
        model = LLMClient(version: programVersion, logger: logger)
        advisor = CareAdvisor(
            store: store, sealer: settings.sealer, servers: settings.llmServers, client: model, logger: logger)
    }

    /// Returns when the program was told to stop and everything under way is done.
    func run() async throws {
        stopping.listen()
        warn()
        let schema = SchemaService(settings.database, logger: logger) { try await prepare() }
        let watch = DatabaseWatch(settings.database, logger: logger)
        let control = BrokerControl(settings.mqtt, logger: logger)
        let access = BrokerAccess(
            store: store, sealer: settings.sealer, control: control,
            installation: { [identity] in identity.installation }, logger: logger)
        let ingest = IngestStatus()
        let health = health(schema, watch, control, ingest)
        metrics?.observe(health, takesIn: roles.contains(.ingest))

        // They end in the reverse order: all that works by itself, at the same moment, then the API, which may have a slow
        // client, then what the API rests on.
        var services: [any Service] = [schema, watch]
        if roles.contains(.api) || roles.contains(.worker) { services.append(control) }
        if roles.contains(.api) {
            services.append(Gated(schema) { alertFeed })
            services.append(Gated(schema) { liveFeed })
            services.append(
                APIServer.make(
                    environment(schema, control, access, health), host: settings.httpHost,
                    port: settings.httpPort, logger: logger))
        } else if let metrics {
            // Nothing but /metrics: what an intake or a worker measures is to be seen, too.
            services.append(
                MetricsServer(page: metrics.page, host: settings.httpHost, port: settings.httpPort, logger: logger))
        }
        var first: [any Service] = []
        if roles.contains(.api) { first.append(Farewell(stopping: stopping)) }
        // Before the API, which would wait for those who wait for a model.
        if roles.contains(.api) || roles.contains(.worker) { first.append(advisor) }
        if roles.contains(.worker) {
            first += workers(schema, control, access, ingest)
            if metrics != nil {
                first.append(
                    Gated(schema) { StateWatch(store: store, isAnswering: { watch.isAnswering }, logger: logger) })
            }
        }
        if roles.contains(.ingest) {
            first.append(
                Gated(schema) {
                    var mqtt = settings.mqtt
                    mqtt.clientID = identity.clientID
                    let options = IngestOptions(
                        mqtt: mqtt, database: settings.database, sharedGroup: settings.mqttSharedGroup,
                        judges: settings.judgesReadings)
                    return IngestService(options, status: ingest, measures: metrics != nil, logger: logger)
                })
        }
        var configuration = ServiceGroupConfiguration(services: services + [Together(services: first)], logger: logger)
        configuration.maximumGracefulShutdownDuration = Stopping.patience
        let group = ServiceGroup(configuration: configuration)
        // A group that does not run yet remembers it.
        stopping.whenTold { Task { await group.triggerGracefulShutdown() } }
        try await group.run()
        logger.info("stopped")
    }

    private func warn() {
        if !settings.requiresSignIn {
            logger.warning("AUTH_MODE is disabled: whoever reaches the HTTP port may read and change everything")
        }
        if !settings.judgesReadings { logger.warning("PLANTOPS_TEST_JUDGING is off: there will be no alerts") }
        if settings.enrollmentMode == .open {
            logger.warning("ENROLLMENT_MODE is open: any device that reaches the HTTP port is given an identity")
        }
    }

    /// What has to be in the database before anything uses it.
    private func prepare() async throws {
        try await identity.settle(in: store)
        var alerts = AlertSettings()
        alerts.timeZone = KnownTimeZone.ofSystem().name
        try await store.initializeAlertSettings(alerts)
        try await makeFirstChannel()
        try await makeFirstAdmin()
    }

    /// Of `DISCORD_WEBHOOK_URL`, once: who removes the channel does not find it back at the next start.
    private func makeFirstChannel() async throws {
        guard let url = settings.discordWebhook else { return }
        let now = Timestamp.now()
        let address = try ChannelAddress(url.reveal(), allowed: settings.channelAllowedHosts)
        let channel = Channel(
            id: .make(at: now), kind: .discord, name: "Discord", urlHint: address.hint, createdAt: now, updatedAt: now)
        let outcome = try await store.createChannel(
            channel, url: url, secret: nil, sealer: settings.sealer, by: Origin(.system, name: "DISCORD_WEBHOOK_URL"),
            unlessKnownAs: "discord_webhook_channel")
        if case .tooMany = outcome {
            logger.warning("DISCORD_WEBHOOK_URL is not used: there are too many channels already")
        }
    }

    private func makeFirstAdmin() async throws {
        guard settings.requiresSignIn, try await !store.hasUsers() else { return }
        guard let admin = settings.firstAdmin else {
            logger.warning(
                "nobody can sign in: set ADMIN_EMAIL and ADMIN_PASSWORD, or run `plantops user create --role admin`")
            return
        }
        let now = Timestamp.now()
        let user = User(id: .make(at: now), email: admin.email, role: .admin, createdAt: now, updatedAt: now)
        let hash = try await accounts.hash(admin.password)
        if try await store.createFirstUser(user, passwordHash: hash, by: Origin(.system, name: "first start")) {
            logger.notice("the first admin was made", metadata: ["email": "\(admin.email)"])
        }
    }

    private func workers(
        _ schema: SchemaService, _ control: BrokerControl, _ access: BrokerAccess, _ ingest: IngestStatus
    ) -> [any Service] {
        let ingestsHere = roles.contains(.ingest)
        let isReceiving: @Sendable () -> Bool = {
            let state = ingest.snapshot
            return ingestsHere
                ? state.mqttConnected && state.databaseConnected && state.lag(now: .now()) < 30 : control.isConnected
        }
        let system = SystemWatch(
            store: store,
            SystemWatch.Sources(
                certificateExpiry: { control.brokerCertificateExpiry }, isReceiving: isReceiving,
                intake: { [identity] in identity.clientID }, diskPath: settings.diskPath))
        return [
            Gated(schema) { Housekeeping(store: store, logger: logger) },
            Gated(schema) {
                SeriesService(
                    store: store, upkeep: SeriesUpkeep(settings.database, logger: logger),
                    daysKept: settings.retentionDays, logger: logger
                )
            },
            Gated(schema) { BrokerReconciler(access, control: control, logger: logger) },
            Gated(schema) { OfflineWatch(store: store, isReceiving: isReceiving, logger: logger) },
            Gated(schema) {
                AlertWatch(store: store, system: system, light: LightWatch(store: store), logger: logger)
            },
            Gated(schema) { WateringWatch(store: store, logger: logger) },
            Gated(schema) { CareWatch(store: store, advisor: advisor, logger: logger) },
            Gated(schema) {
                DeliveryService(store: store, sealer: settings.sealer, sender: sender, logger: logger)
            },
        ]
    }

    /// How the program is, whenever it is asked.
    private func health(
        _ schema: SchemaService, _ watch: DatabaseWatch, _ control: BrokerControl, _ ingest: IngestStatus
    ) -> @Sendable () -> HealthReport {
        let started = Timestamp.now()
        let ingestsHere = roles.contains(.ingest)
        return { [stopping] in
            let state = ingest.snapshot
            // A batch that waits this long for its commit says more than a ping that passes.
            let isStoring = state.databaseConnected && state.lag(now: .now()) < 30
            let database = schema.isReady && watch.isAnswering && (!ingestsHere || isStoring)
            return HealthReport(
                databaseConnected: database, mqttConnected: ingestsHere ? state.mqttConnected : control.isConnected,
                lastCommitAt: state.lastCommitAt, lagSeconds: state.lag(now: .now()),
                uptimeSeconds: Timestamp.now().seconds(since: started), memoryBytes: ProcessFacts.residentBytes,
                certificateExpiry: control.brokerCertificateExpiry, problem: state.lastProblem,
                isStopping: stopping.isStopping)
        }
    }

    private func environment(
        _ schema: SchemaService, _ control: BrokerControl, _ access: BrokerAccess,
        _ health: @escaping @Sendable () -> HealthReport
    ) -> APIEnvironment {
        return APIEnvironment(
            store: store, accounts: accounts, sealer: settings.sealer,
            policy: APIEnvironment.Policy(
                requiresSignIn: settings.requiresSignIn, enrollment: settings.enrollmentMode,
                corsOrigins: settings.corsOrigins, publicOrigin: settings.publicOrigin,
                trustedProxies: settings.trustedProxies),
            access: APIEnvironment.DeviceAccess(
                host: settings.publicMQTTHost, port: settings.publicMQTTPort,
                caCertificate: settings.caFile.flatMap { Certificate.certificates(pemFile: $0) }),
            broker: APIEnvironment.Broker(
                reach: { try await access.reach() }, grant: { try await access.grant($0) },
                settle: { await access.settle($0) },
                send: { try await access.send($0) }),
            channels: channels, advisor: care, events: events, isOpen: { schema.isReady },
            isStopping: { [stopping] in stopping.isStopping }, health: health, metrics: metrics?.page,
            disk: { [path = settings.diskPath] in
                DiskSpace(of: path).map {
                    APIEnvironment.Disk(path: path, totalBytes: $0.totalBytes, freeBytes: $0.freeBytes)
                }
            },
            retentionDays: settings.retentionDays,
            version: programVersion)
    }
}

extension Backend {
    /// Lets those who watch know of alerts, whichever backend changed them.
    private var alertFeed: AlertFeed {
        let (store, events, live, logger) = (store, events, live, logger)
        return AlertFeed(settings.database, logger: logger) { ids in
            // Somebody may be coming back at this moment: it will be told that there was something.
            guard events.hasSubscribers else { return events.reset() }
            do {
                let alerts = try await store.alerts(ids)
                let known = Dictionary(uniqueKeysWithValues: alerts.map { ($0.id, $0) })
                for id in ids { events.publish(try ServerEvent(alert: known[id], id: id, now: .now())) }
                var changes = LiveChanges()
                changes.doubtfulPlants = Set(alerts.compactMap(\.subject.plant))
                live.add(changes)
            } catch {
                logger.warning("changes of alerts cannot be shown", metadata: ["reason": "\(error)"])
                events.reset()
            }
        } missed: {
            events.reset()
        }
    }

    /// Lets those who watch know of readings, plants and devices, whoever changed them.
    private var liveFeed: LiveFeed {
        let (store, events, logger) = (store, events, logger)
        let publisher = LivePublisher(store: store, events: events)
        let reset: @Sendable () async -> Void = {
            await publisher.forget()
            events.reset()
        }
        let telling = LiveFeed.Telling(
            changed: { changes in
                // As above: somebody may be coming back at this moment.
                guard events.hasSubscribers else { return await reset() }
                do {
                    try await publisher.publish(changes)
                } catch {
                    logger.warning("changes of plants and devices cannot be shown", metadata: ["reason": "\(error)"])
                    await reset()
                }
            }, missed: reset,
            passed: { after, until in
                guard events.hasSubscribers else { return LiveChanges() }
                do {
                    return try await store.changesByTime(after: after, until: until)
                } catch {
                    logger.debug("what has become old is not known", metadata: ["reason": "\(error)"])
                    return nil
                }
            })
        return LiveFeed(settings.database, inbox: live, telling: telling, logger: logger)
    }

    /// What the API may ask of those who know about care.
    private var care: APIEnvironment.Advisor {
        APIEnvironment.Advisor(
            servers: settings.llmServers,
            analyze: { [advisor] plant, refresh in
                switch try await advisor.analyze(plant, refresh: refresh) {
                case .plan(let plan, let isCached): .plan(plan, isCached: isCached)
                case .noSuchPlant: .noSuchPlant
                case .busy(let seconds): .busy(retryAfterSeconds: seconds)
                case .shuttingDown: .stopping
                }
            },
            test: { [advisor] in
                switch try await advisor.testModel() {
                case .notConfigured: .notConfigured
                case .answered(let model, let milliseconds): .answered(model: model, milliseconds: milliseconds)
                case .failed(let problem): .failed(problem)
                case .shuttingDown: .stopping
                }
            },
            check: { [model] in await model.check($0) })
    }

    /// What the API may ask of those who send notifications.
    private var channels: APIEnvironment.Channels {
        APIEnvironment.Channels(
            allowedHosts: settings.channelAllowedHosts, check: { [sender] in await sender.check($0) },
            test: { [sender] target in
                let now = Timestamp.now()
                let message = AlertMessage(id: .make(at: now), kind: .test, createdAt: now, notices: [])
                let outcome = await sender.send(message, kind: target.kind, url: target.url, secret: target.secret)
                switch outcome {
                case .delivered(let status, _): return APIEnvironment.ChannelTest(status: status)
                case .retry(_, _, let status, let reason), .refused(let status, let reason):
                    return APIEnvironment.ChannelTest(status: status, problem: reason)
                }
            })
    }
}

/// What the database remembers of who we are, from the first start on.
private final class Identity: Sendable {
    private struct Names {
        var clientID: String
        var installation: String
    }

    private let names: Mutex<Names>
    private let hasClientID: Bool

    init(_ settings: Settings) {
        names = Mutex(Names(clientID: settings.mqtt.clientID, installation: EntityID.make().description))
        hasClientID = settings.hasClientID
    }

    /// Of the intake. It names the session the broker keeps for us, with everything that waits in it, so it stays the
    /// same for ever, also when the encryption key it was once made from is replaced. `MQTT_CLIENT_ID` overrides it.
    var clientID: String { names.withLock { $0.clientID } }
    /// Of this database; tells its devices' accounts at the broker from those of another.
    var installation: String { names.withLock { $0.installation } }

    func settle(in store: Store) async throws {
        let made = names.withLock { $0 }
        let installation = try await store.setting("installation_id", initially: made.installation)
        let clientID =
            hasClientID ? made.clientID : try await store.setting("mqtt_client_id", initially: made.clientID)
        names.withLock { $0 = Names(clientID: clientID, installation: installation) }
    }
}
