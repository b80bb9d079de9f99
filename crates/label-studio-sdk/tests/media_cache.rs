//! Files that were downloaded before.
#![cfg(feature = "client")]

use std::{
    fs,
    sync::Barrier,
    thread,
    time::{Duration, SystemTime},
};

use label_studio_sdk::MediaOptions;
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
    assert!(
        newest.exists(),
        "what may be in use stays even above the limit"
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
