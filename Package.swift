// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "plantops",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "plantops", targets: ["plantops"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries of the system, found by pkg-config.
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // Each target may import only what is listed here: the list is the architecture.
        .target(name: "PlantDomain", resources: [.embedInCode("Resources")], swiftSettings: strict),
        .target(name: "MQTT", dependencies: ["CMosquitto", logging], swiftSettings: strict),
        .target(name: "Postgres", dependencies: ["CPostgres", logging], swiftSettings: strict),
        .target(name: "Sealing", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "Prometheus", dependencies: [coreMetrics], swiftSettings: strict),
        .target(
            name: "PlantStore",
            dependencies: ["PlantDomain", "Postgres", "Sealing", logging, metrics],
            resources: [.embedInCode("Migrations")],
            swiftSettings: strict),
        .target(
            name: "PlantPipeline",
            dependencies: [
                "PlantDomain", "PlantStore", "Postgres", "MQTT", "Sealing", asyncHTTPClient, logging, metrics, nioCore,
                nioHTTP1, serviceLifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "PlantAPI",
            dependencies: [
                "PlantDomain", "PlantStore", "Sealing", hummingbird, httpTypes, logging, metrics, nioCore,
                serviceLifecycle,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "plantops",
            dependencies: [
                "PlantDomain", "PlantStore", "PlantPipeline", "PlantAPI", "Postgres", "MQTT", "Prometheus",
                "Sealing", argumentParser, asyncHTTPClient, configuration, logging, metrics, nioCore, nioHTTP1,
                serviceLifecycle,
                unixSignals,
            ],
            swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: ["PlantDomain", "PlantStore", "Postgres", "Sealing", "MQTT", logging],
            path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "PlantDomainTests", dependencies: ["PlantDomain"], swiftSettings: strict),
        .testTarget(
            name: "PrometheusTests", dependencies: ["Prometheus", coreMetrics, metrics], swiftSettings: strict),
        .testTarget(name: "SealingTests", dependencies: ["Sealing"], swiftSettings: strict),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestSupport", logging], swiftSettings: strict),
        .testTarget(
            name: "PlantStoreTests",
            dependencies: ["PlantDomain", "PlantStore", "Postgres", "Sealing", "TestSupport", logging],
            swiftSettings: strict),
        .testTarget(
            name: "PlantPipelineTests",
            dependencies: [
                "MQTT", "PlantDomain", "PlantPipeline", "PlantStore", "Sealing", "TestSupport", logging,
                serviceLifecycle,
            ], swiftSettings: strict),
        .testTarget(
            name: "PlantAPITests",
            dependencies: [
                "PlantAPI", "PlantDomain", "PlantStore", "Sealing", "TestSupport", httpTypes, hummingbird, logging,
                nioCore, serviceLifecycle,
            ], swiftSettings: strict),
        .testTarget(
            name: "PlantOpsTests",
            dependencies: ["plantops", "MQTT", "PlantDomain", "PlantStore", "Postgres", "Sealing", logging],
            swiftSettings: strict),
    ]
)
