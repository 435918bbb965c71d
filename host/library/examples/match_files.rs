//! Matches the tasks of one file to the offers of another: the example of README.md.

use offermatch::{Catalog, Matcher, Offers, Reader, Settings, Tasks};

/// Reads the files that the command line names, and prints who takes what.
fn main() -> anyhow::Result<()> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [tasks_file, offers_file] = files.as_slice() else {
        anyhow::bail!("usage: match_files TASKS OFFERS");
    };

    let (task_rows, offer_rows) = Reader::default().read_tables(tasks_file, offers_file)?;
    let catalog = Catalog::of(&offer_rows, &task_rows);
    let (tasks, offers) = (Tasks::new(&task_rows, &catalog)?, Offers::new(&offer_rows, &catalog)?);
    let mut pool = Matcher::bundled("best-fit")?.open(&offers, &Settings::default())?;
    let assignments = pool.assign(&tasks)?.assignments;
    for (task, offer) in assignments.tasks.iter().zip(&assignments.offers) {
        println!("{} -> {}", tasks.names()[*task as usize], offers.names()[*offer as usize]);
    }
    Ok(())
}
