//! Files that were downloaded before.
#![cfg(feature = "client")]

use std::{
    fs,
    io::Write as _,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use label_studio_sdk::{MediaError, MediaOptions};
use label_studio_testing::{
    Answer, MockService,
    media::{TestFetcher, allow_private},
};

#[test]
fn a_file_is_downloaded_once_for_all_threads() {
    let server = MockService::start(|_| Answer::ok("content"));
    let fetcher = TestFetcher::new(None, allow_private);
    let (url, barrier) = (server.url(""), Barrier::new(8));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                fetcher.get(&url).unwrap();
            });
        }
    });
    fetcher.get(&url).unwrap();
    assert_eq!(server.received().len(), 1);
    assert_eq!(fetcher.cached().len(), 1);
}

#[test]
fn names_of_files_are_made_safe() {
    let fetcher = TestFetcher::new(None, |options| options);
    for (url, expect) in [
        ("https://x.y/a%2F..%2Fb.png", "a%2F..%2Fb.png".to_owned()),
        ("https://x.y/a:b*c.png", "a_b_c.png".to_owned()),
        ("https://x.y/a\\b.png", "b.png".to_owned()),
        (
            &format!("https://x.y/{}.png", "n".repeat(300)),
            format!("{}.png", "n".repeat(96)),
        ),
    ] {
        let path = fetcher.media.cache_path(url, None).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(&name[34..], expect, "{url}");
        assert!(path.starts_with(fetcher.dir.path()), "{url}");
    }
}

#[test]
fn the_cache_stays_below_its_limit() {
    let server = MockService::start(|_| Answer::ok("1234567890"));
    let fetcher = TestFetcher::new(None, |options| MediaOptions {
        max_cache_bytes: Some(25),
        ..allow_private(options)
    });
    let get = |name: &str| fetcher.get(&format!("{}/{name}", server.url(""))).unwrap();
    let (old, newer) = (get("old"), get("newer"));
    let foreign = fetcher.dir.path().join("cache/notes.txt");
    fs::write(&foreign, "not a download").unwrap();
    for (path, hours) in [(&foreign, 9), (&old, 3), (&newer, 2)] {
        let time = SystemTime::now() - Duration::from_secs(hours * 3600);
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    let newest = get("newest");
    let left = [&old, &newer, &newest, &foreign].map(|path| path.exists());
    assert_eq!(
        left,
        [false, true, true, true],
        "what was used last and what is not ours stays"
    );
    let more = get("more");
    assert_eq!(
        [&newer, &newest, &more].map(|path| path.exists()),
        [false, true, true]
    );
    get("recent");
    assert!(!newest.exists(), "the limit holds however recent files are");
    assert!(more.exists());
}

#[test]
fn files_that_were_compressed_on_their_way_count_in_full() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 1 << 20]).unwrap();
    let gzip = gzip.finish().unwrap();
    assert!(gzip.len() < 1 << 12);
    let server = MockService::start(move |_| {
        Answer::ok(gzip.clone()).with_header("content-encoding", "gzip")
    });
    let fetcher = TestFetcher::new(None, |options| MediaOptions {
        max_cache_bytes: Some(3 << 20),
        ..allow_private(options)
    });
    for n in 0..20 {
        let path = fetcher.get(&format!("{}/{n}", server.url(""))).unwrap();
        assert_eq!(fs::metadata(path).unwrap().len(), 1 << 20);
        let sizes = fetcher.cached().into_iter();
        let n_bytes: u64 = sizes.map(|path| fs::metadata(path).unwrap().len()).sum();
        assert!(n_bytes <= 3 << 20, "{n_bytes} after {n}");
    }
}

/// Label Studio that gives task 7 a file of cloud storage, as long as `may` says so, and refuses it to others.
fn cloud(may: &Arc<AtomicBool>) -> MockService {
    let may = Arc::clone(may);
    MockService::start(move |asked| match asked.path() {
        "/tasks/7/presign/" if may.load(Ordering::SeqCst) => Answer::redirect("/data/object"),
        "/data/object" => Answer::ok("object"),
        _ => Answer::status(403),
    })
}

#[test]
fn a_cached_file_of_cloud_storage_is_not_given_to_a_task_that_may_not_use_it() {
    let server = cloud(&Arc::new(AtomicBool::new(true)));
    let fetcher = TestFetcher::new(Some(server.client("abc")), |options| options);
    for uri in [
        "s3://bucket/a.png",
        "gs://bucket/a.png",
        "azure-blob://b/a.png",
    ] {
        let path = fetcher.media.local_path(uri, Some(7)).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "object");
        let error = fetcher.media.local_path(uri, Some(8)).unwrap_err();
        assert!(
            matches!(error, MediaError::Status { status: 403, .. }),
            "{uri}: {error}"
        );
    }
}

#[test]
fn label_studio_is_asked_again_for_a_cached_file_of_cloud_storage() {
    let may = Arc::new(AtomicBool::new(true));
    let server = cloud(&may);
    let fetcher = TestFetcher::new(Some(server.client("abc")), |options| MediaOptions {
        access_lifetime: Duration::ZERO,
        ..options
    });
    fetcher.get("s3://bucket/a.png").unwrap();
    fetcher.get("s3://bucket/a.png").unwrap();
    let targets = server.targets();
    let n_downloads = targets.iter().filter(|target| *target == "/data/object");
    assert_eq!(
        n_downloads.count(),
        1,
        "the file itself is kept: {targets:?}"
    );
    may.store(false, Ordering::SeqCst);
    let error = fetcher.get("s3://bucket/a.png").unwrap_err();
    assert!(
        matches!(error, MediaError::Status { status: 403, .. }),
        "{error}"
    );
}

#[test]
fn access_to_a_cached_file_holds_for_a_while() {
    let may = Arc::new(AtomicBool::new(true));
    let server = cloud(&may);
    let fetcher = TestFetcher::new(Some(server.client("abc")), |options| options);
    for _ in 0..3 {
        fetcher.get("s3://bucket/a.png").unwrap();
    }
    assert_eq!(
        server.received().len(),
        3,
        "download, its target, one question"
    );
}

#[test]
fn a_file_used_again_is_not_the_oldest() {
    let server = MockService::start(|_| Answer::ok("content"));
    let fetcher = TestFetcher::new(None, allow_private);
    let path = fetcher.get(&server.url("")).unwrap();
    let time = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(time)
        .unwrap();
    fetcher.get(&server.url("")).unwrap();
    let used_at = fs::metadata(&path).unwrap().modified().unwrap();
    assert!(used_at > time);
}
