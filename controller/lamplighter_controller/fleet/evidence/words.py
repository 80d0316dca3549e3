"""The words of a printed page, Chinese and English side by side."""

from typing import Final

LANGUAGES: Final = ("zh", "en")
WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("渣土车违规证据单", "Evidence of a violation by a muck truck"),
    "violation": ("违规编号", "Violation"),
    "package": ("证据包", "Package"),
    "class": ("违规类型", "Class"),
    "score": ("置信度", "Score"),
    "rules": ("规则版本", "Version of the rules"),
    "first": ("首个定位", "First fix"),
    "last": ("末个定位", "Last fix"),
    "position": ("位置 (WGS-84)", "Position (WGS-84)"),
    "truck": ("车辆", "Truck"),
    "company": ("企业", "Company"),
    "installation": ("终端安装记录", "Installation of the terminal"),
    "calibration": ("校准记录", "Calibration"),
    "place": ("区域及版本", "Place and version"),
    "basis": ("法律依据", "Legal basis"),
    "permit": ("许可证及版本", "Permit and version"),
    "clock": ("终端时钟偏差", "Offset of the terminal's clock"),
    "evidence": ("判定依据", "What it was judged by"),
    "quality": ("定位质量", "Quality of the fixes"),
    "states": ("举升、密闭、载重状态变化", "Lift, cover and load, change by change"),
    "track": ("轨迹", "Track"),
    "commands": ("指令记录", "Commands"),
    "limits": ("限制记录", "Limits"),
    "steps": ("办理过程", "Life of the violation"),
    "photos": ("照片", "Photos"),
    "parts": ("证据包内容", "Parts of the package"),
    "missing": ("缺失内容及原因", "What is missing, and why"),
    "none": ("无", "none"),
    "time": ("时间", "Time"),
    "what": ("内容", "What"),
    "who": ("经办人", "By"),
    "reason": ("理由", "Reason"),
    "state": ("状态", "State"),
    "verify": ("离线核验", "To verify without a server"),
    "signed": ("经办人签字", "Signature"),
    "going_on": ("仍在持续", "going on"),
}
CLASSES: Final[dict[str, tuple[str, str]]] = {
    "overspeed": ("超速", "overspeed"),
    "cover_open": ("重车未密闭行驶", "cover open while loaded and moving"),
    "lift_in_motion": ("行驶中举升", "lift raised in motion"),
    "dump_outside": ("违规倾倒", "dumped outside every approved ground"),
    "missing_dump": ("装载后无卸载记录", "no dump after a load"),
    "off_route": ("偏离核准路线", "off its route"),
    "no_go": ("驶入禁行区", "in a no-go zone"),
    "banned_hours": ("禁行时段行驶", "driving in banned hours"),
    "position_gap": ("轨迹缺失", "gap between positions"),
    "position_jump": ("位置跳变", "jump of the position"),
    "position_frozen": ("位置冻结", "frozen position"),
    "power_cut": ("终端断电", "terminal without power"),
    "antenna_fault": ("天线故障", "antenna fault"),
    "sensor_contradiction": ("传感器矛盾", "sensors contradict each other"),
    "offline_ignition": ("点火后离线", "offline with ignition on"),
    "no_permit": ("无证运输", "carrying without a permit"),
    "permit_expired": ("许可证过期", "permit expired"),
    "permit_suspended": ("许可证暂停期间运输", "carrying under a suspended permit"),
    "outside_hours": ("超出许可日期或时段", "outside the permit's days or hours"),
    "wrong_ground": ("未运至核准消纳场", "unloaded at a ground the permit does not name"),
}
STATES: Final[dict[str, tuple[str, str]]] = {
    "candidate": ("待审核", "candidate"),
    "reviewed_valid": ("审核成立", "reviewed: valid"),
    "reviewed_invalid": ("审核不成立", "reviewed: invalid"),
    "notified": ("已告知企业", "company notified"),
    "appeal": ("申诉", "appeal"),
    "handed_over": ("已移交", "handed over"),
    "case": ("已立案", "case number given"),
    "outcome": ("已办结", "concluded"),
}


def word(table: dict[str, tuple[str, str]], key: str, language: str) -> str:
    """A word in a language; one that is not known stays as it is."""
    return table[key][LANGUAGES.index(language)] if key in table else key
