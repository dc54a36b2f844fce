//! What is to be done, decided from facts alone.

use helios_common::json::Value;
use std::fmt;

/// Partitions start at multiples of 1 MiB, in sectors of 512 bytes.
const ALIGNMENT: u64 = 2048;
/// An MBR has room for this many partitions.
const MBR_PARTITIONS: usize = 4;
/// An MBR counts sectors in 32 bits.
const MBR_SECTORS: u64 = 1 << 32;
/// GPT keeps its second table in the last 33 sectors.
const GPT_TAIL: u64 = 33;

pub struct Facts {
    /// `sfdisk --json DISK`
    pub table: Value,
    /// Size of the disk, in sectors of 512 bytes.
    pub sectors: u64,
    /// Start of a partition that was made but perhaps not formatted.
    pub started: Option<u64>,
    /// Less free space than this is left alone, in sectors.
    pub minimum: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// There is a DATA partition already.
    Found {
        node: String,
    },
    Nothing {
        why: String,
    },
    /// A partition of ours of which it is not sure that it has got its file system.
    Format {
        node: String,
    },
    Create {
        start: u64,
        size: u64,
    },
}

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { node } => write!(out, "DATA is {node}; nothing to do"),
            Self::Nothing { why } => write!(out, "{why}; nothing to do"),
            Self::Format { node } => write!(out, "make the file system of {node}, which was interrupted"),
            Self::Create { start, size } => {
                write!(out, "make DATA of {} MiB at sector {start}", size / ALIGNMENT)
            }
        }
    }
}

/// Which partition is DATA is asked of `is_data`, by device.
pub fn decide(facts: &Facts, is_data: impl Fn(&str) -> bool) -> Result<Plan, String> {
    let table = facts.table.get("partitiontable").ok_or("sfdisk printed no partition table")?;
    if table.get("sectorsize").and_then(Value::integer).is_some_and(|size| size != 512) {
        return Ok(Plan::Nothing { why: "the disk's sectors are not of 512 bytes".into() });
    }
    let partitions = table.get("partitions").map(Value::list).unwrap_or_default();
    let mut end = 0;
    let mut found = None;
    for partition in partitions {
        let sectors = |name: &str| partition.get(name).and_then(Value::integer).and_then(|it| u64::try_from(it).ok());
        let (Some(node), Some(start), Some(size)) =
            (partition.get("node").and_then(Value::text), sectors("start"), sectors("size"))
        else {
            return Err(format!("sfdisk printed a partition without node, start or size: {partition}"));
        };
        // Whatever label it has: of half a file system, or of one that the card had in a former life.
        if facts.started == Some(start) {
            return Ok(Plan::Format { node: node.into() });
        }
        if found.is_none() && is_data(node) {
            found = Some(Plan::Found { node: node.into() });
        }
        end = end.max(start + size);
    }
    if let Some(plan) = found {
        return Ok(plan);
    }
    let (most, limit) = match table.get("label").and_then(Value::text) {
        Some("dos") => (MBR_PARTITIONS, facts.sectors.min(MBR_SECTORS)),
        Some("gpt") => (usize::MAX, facts.sectors.saturating_sub(GPT_TAIL)),
        other => return Ok(Plan::Nothing { why: format!("the partition table is {}", other.unwrap_or("unknown")) }),
    };
    if partitions.len() >= most {
        return Ok(Plan::Nothing { why: format!("the partition table is full with {most} partitions") });
    }
    let start = end.next_multiple_of(ALIGNMENT);
    let size = limit.saturating_sub(start) / ALIGNMENT * ALIGNMENT;
    if size < facts.minimum.max(ALIGNMENT) {
        let [free, minimum] = [size, facts.minimum].map(|sectors| sectors / ALIGNMENT);
        return Ok(Plan::Nothing {
            why: format!("only {free} MiB are free behind the last partition, less than {minimum}"),
        });
    }
    Ok(Plan::Create { start, size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use helios_common::json::parse;

    const MIB: u64 = ALIGNMENT;

    fn facts(label: &str, partitions: &[(u64, u64)], sectors: u64) -> Facts {
        let listed: Vec<String> = partitions
            .iter()
            .enumerate()
            .map(|(index, (start, size))| {
                format!("{{\"node\":\"/dev/x{}\",\"start\":{start},\"size\":{size},\"type\":\"83\"}}", index + 1)
            })
            .collect();
        let table = format!("{{\"partitiontable\":{{\"label\":\"{label}\",\"unit\":\"sectors\",\"sectorsize\":512,\"partitions\":[{}]}}}}", listed.join(","));
        Facts { table: parse(&table).expect("JSON"), sectors, started: None, minimum: 64 * MIB }
    }

    #[test]
    fn free_space_becomes_a_partition_on_whole_mebibytes() {
        let plan = decide(&facts("dos", &[(MIB, 10 * MIB), (11 * MIB, 100 * MIB + 5)], 400 * MIB + 77), |_| false);
        assert_eq!(plan, Ok(Plan::Create { start: 112 * MIB, size: 288 * MIB }));
    }

    #[test]
    fn an_existing_data_partition_is_found_and_nothing_done() {
        let plan = decide(&facts("dos", &[(MIB, 10 * MIB), (20 * MIB, 10 * MIB)], 400 * MIB), |node| node == "/dev/x2");
        assert_eq!(plan, Ok(Plan::Found { node: "/dev/x2".into() }));
    }

    #[test]
    fn little_space_full_tables_and_unknown_tables_are_left_alone() {
        let four = [(MIB, MIB), (2 * MIB, MIB), (3 * MIB, MIB), (4 * MIB, MIB)];
        for (facts, why) in [
            (facts("dos", &[(MIB, 10 * MIB)], 40 * MIB), "only 29 MiB"),
            (facts("dos", &[(MIB, 10 * MIB)], 5 * MIB), "only 0 MiB"),
            (facts("dos", &four, 400 * MIB), "full"),
            (facts("bsd", &[], 400 * MIB), "table is bsd"),
        ] {
            let plan = decide(&facts, |_| false).expect("a plan");
            assert!(matches!(&plan, Plan::Nothing { why: found } if found.contains(why)), "{plan}");
        }
    }

    #[test]
    fn gpt_keeps_its_second_table_and_mbr_its_limit() {
        let plan = decide(&facts("gpt", &[(MIB, MIB)], 102 * MIB), |_| false);
        assert_eq!(plan, Ok(Plan::Create { start: 2 * MIB, size: 99 * MIB }));
        let plan = decide(&facts("dos", &[(MIB, MIB)], MBR_SECTORS * 2), |_| false);
        assert_eq!(plan, Ok(Plan::Create { start: 2 * MIB, size: MBR_SECTORS - 2 * MIB }));
    }

    #[test]
    fn an_interrupted_partition_is_formatted_and_another_one_never() {
        let mut facts = facts("dos", &[(MIB, 10 * MIB), (20 * MIB, 10 * MIB)], 30 * MIB);
        facts.started = Some(20 * MIB);
        assert_eq!(decide(&facts, |_| false), Ok(Plan::Format { node: "/dev/x2".into() }));
        let any = |_: &str| true;
        assert_eq!(decide(&facts, any), Ok(Plan::Format { node: "/dev/x2".into() }), "an old label is none of ours");
        facts.started = Some(21 * MIB);
        assert_eq!(decide(&facts, |node| node == "/dev/x2"), Ok(Plan::Found { node: "/dev/x2".into() }));
        assert!(matches!(decide(&facts, |_| false), Ok(Plan::Nothing { .. })));
    }
}
