"""What each fault is called and what to do about it, as an installer would say it to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lamplighter_gateway.commissioning.language import Language, units_text
from lamplighter_gateway.commissioning.probe.verdict import Fault, Finding


@dataclass(frozen=True, slots=True)
class Advice:
    """A fault by name, and the steps to take, the likeliest cause first."""

    title: str
    steps: tuple[str, ...] = ()


_EN: Final[Mapping[Fault, Advice]] = {
    Fault.NONE: Advice("The bus is good: every unit asked answers."),
    Fault.PORT_MISSING: Advice(
        "There is no such serial port.",
        ("Plug in the adapter and look with `ls /dev/serial/by-id/`; use that name, it does not change.",),
    ),
    Fault.PORT_DENIED: Advice(
        "This user may not open the port.",
        ("Run as the service's user, or `sudo adduser $USER dialout` and log in anew.",),
    ),
    Fault.PORT_BUSY: Advice(
        "Another program has the port open.",
        ("Stop it first: `systemctl stop lamplighter-gateway`, or a terminal program that is still open.",),
    ),
    Fault.PORT_UNUSABLE: Advice(
        "The port cannot be used.", ("Unplug the adapter, plug it in again, then try another one.",)
    ),
    Fault.PORT_LOST: Advice("The adapter was pulled out while it was in use.", ("Fix its plug, then probe again.",)),
    Fault.HOST_REFUSES: Advice(
        "The converter is there and refuses the connection.",
        ("Check the port number (Modbus TCP is 502).", "Set the converter to Modbus TCP server, not to TCP client."),
    ),
    Fault.HOST_UNREACHABLE: Advice(
        "The converter cannot be reached.",
        ("Check its power and its network cable.", "Check its IP address; the laptop must be in the same network."),
    ),
    Fault.TCP_SILENT: Advice(
        "The converter takes the connection, and nobody behind it answers.",
        (
            "Check the converter's serial side: baud rate, parity, A and B, power of the lamps.",
            "Some converters serve one client only: close every other one.",
        ),
    ),
    Fault.NOT_MODBUS: Advice(
        "What answers is no Modbus TCP.",
        ("Set the converter from transparent (RTU over TCP) to Modbus TCP.",),
    ),
    Fault.BEHIND_GATEWAY: Advice(
        "The converter answers that units {units} do not.",
        ("The network is good. Look at the serial side: power, A and B, baud rate and parity set in the converter.",),
    ),
    Fault.SILENT: Advice(
        "Nobody answers at any setting: nothing at all was heard.",
        (
            "Check that the lamps have power: is the contactor closed, is the breaker in?",
            "Swap A and B at the adapter and probe again; it breaks nothing.",
            "Unplug the adapter and measure A against B: below 10 Ω it is shorted, above 200 Ω cut or not terminated.",
            "Check the unit numbers asked: {units}.",
        ),
    ),
    Fault.SILENT_ECHO: Advice(
        "The adapter hears itself, and nobody answers.",
        (
            "Adapter and port are good. Check that the lamps have power.",
            "Swap A and B at the adapter and probe again; it breaks nothing.",
            "Check the cable between the adapter and the first lamp, and the unit numbers asked: {units}.",
        ),
    ),
    Fault.SWAPPED: Advice(
        "The line rests at the wrong level: A and B are most likely swapped.",
        (
            "Swap A and B at the adapter and probe again.",
            "Still so: the line is shorted or has no bias; measure A against B, at rest it should be +0.2 V or more.",
        ),
    ),
    Fault.SETTING: Advice(
        "The units speak {setting}, not what is configured.",
        ("Write it into the gateway's file: {yaml}.",),
    ),
    Fault.SLOW: Advice(
        "Units {units} answer later than the gateway waits.",
        ("Write timeout_s: {timeout_s} at this bus in the gateway's file.",),
    ),
    Fault.NOISE: Advice(
        "Part of the answers arrives garbled, whoever sends them.",
        (
            "Termination: 120 Ω between A and B at both ends of the cable, and nowhere else.",
            "Connect the shield at one end only; keep the bus 20 cm away from the lamps' mains.",
            "Lower the baud rate if the cable is longer than 1,000 m.",
        ),
    ),
    Fault.GARBLED: Advice(
        "Something answers, and never can it be read, at any setting.",
        (
            "The units may have a rare baud rate or parity: read it from their label.",
            "Termination: 120 Ω between A and B at both ends; without it long cables are garbled.",
            "Take units off the bus one by one: one with a broken driver garbles all others.",
        ),
    ),
    Fault.DOUBLE_UNIT: Advice(
        "Only unit {units} is garbled: two devices have this number, or its driver is broken.",
        ("Disconnect one of them and probe again.", "Give one of the two a free number: `commission address`."),
    ),
    Fault.SECOND_MASTER: Advice(
        "Somebody else asks on this bus.",
        ("A bus has one master. Take the other one off: an old controller, a panel, a second gateway.",),
    ),
    Fault.WRONG_UNIT: Advice(
        "Another unit answers than the one that was asked ({units}).",
        ("Late answers or a second master: take one unit at a time onto the bus and probe again.",),
    ),
    Fault.REGISTER_MAP: Advice(
        "Units {units} answer and do not have the registers of their profile.",
        ("The wiring is good. Choose the right profile for this device, or correct its register map:",),
    ),
    Fault.UNITS_SILENT: Advice(
        "The bus is good, but units {units} do not answer.",
        (
            "Check the power of these lamps and their own wires to the bus.",
            "Check their numbers: `lamplighter-gateway scan`.",
        ),
    ),
    Fault.ECHO: Advice(
        "The adapter hands back what it sends (echo).",
        ("Switch its echo off (2-wire, half duplex); the gateway cannot tell its own words from answers.",),
    ),
}
_ZH: Final[Mapping[Fault, Advice]] = {
    Fault.NONE: Advice("总线正常：所有被询问的从站都有应答。"),
    Fault.PORT_MISSING: Advice(
        "没有这个串口。", ("插好转换器，用 `ls /dev/serial/by-id/` 查看；请使用该名称，它不会变化。",)
    ),
    Fault.PORT_DENIED: Advice(
        "当前用户无权打开串口。", ("用服务的用户运行，或执行 `sudo adduser $USER dialout` 后重新登录。",)
    ),
    Fault.PORT_BUSY: Advice(
        "串口被其他程序占用。", ("先停止它：`systemctl stop lamplighter-gateway`，或关闭仍打开的串口工具。",)
    ),
    Fault.PORT_UNUSABLE: Advice("串口无法使用。", ("拔下转换器重新插上，再换一个转换器试。",)),
    Fault.PORT_LOST: Advice("测试过程中转换器被拔出。", ("固定好插头后再测。",)),
    Fault.HOST_REFUSES: Advice(
        "转换器在线，但拒绝连接。",
        ("检查端口号（Modbus TCP 为 502）。", "把转换器设为 Modbus TCP 服务器，而不是 TCP 客户端。"),
    ),
    Fault.HOST_UNREACHABLE: Advice("连不到转换器。", ("检查其电源和网线。", "检查 IP 地址；笔记本须在同一网段。")),
    Fault.TCP_SILENT: Advice(
        "转换器接受连接，但后面没有设备应答。",
        ("检查转换器的串口侧：波特率、校验、A/B 线、灯具供电。", "有的转换器只允许一个客户端：关闭其他连接。"),
    ),
    Fault.NOT_MODBUS: Advice("应答的不是 Modbus TCP。", ("把转换器从透明传输（RTU over TCP）改为 Modbus TCP。",)),
    Fault.BEHIND_GATEWAY: Advice(
        "转换器回答：从站 {units} 没有应答。", ("网络正常。请看串口侧：供电、A/B 线、转换器里设置的波特率和校验。",)
    ),
    Fault.SILENT: Advice(
        "任何参数下都没有应答：什么也没有听到。",
        (
            "检查灯具是否有电：接触器是否吸合，断路器是否合上？",
            "在转换器处对调 A、B 线再测；不会损坏设备。",
            "拔下转换器，量 A、B 之间电阻：小于 10 Ω 为短路，大于 200 Ω 为断线或没有终端电阻。",
            "核对被询问的站号：{units}。",
        ),
    ),
    Fault.SILENT_ECHO: Advice(
        "转换器能听到自己，但没有设备应答。",
        (
            "转换器和串口正常。检查灯具是否有电。",
            "在转换器处对调 A、B 线再测；不会损坏设备。",
            "检查转换器到第一盏灯的电缆，并核对被询问的站号：{units}。",
        ),
    ),
    Fault.SWAPPED: Advice(
        "线路空闲电平不对：A、B 线很可能接反。",
        ("在转换器处对调 A、B 线再测。", "仍然如此：线路短路或没有偏置；量 A 对 B，空闲时应为 +0.2 V 以上。"),
    ),
    Fault.SETTING: Advice("设备使用 {setting}，与配置不同。", ("写入网关配置文件：{yaml}。",)),
    Fault.SLOW: Advice(
        "从站 {units} 的应答比网关等待的时间晚。", ("在网关配置文件的该总线处写 timeout_s: {timeout_s}。",)
    ),
    Fault.NOISE: Advice(
        "部分应答出现乱码，与从站无关。",
        (
            "终端电阻：电缆两端 A、B 之间各 120 Ω，其他地方不接。",
            "屏蔽层只在一端接地；总线与灯具电源线相距 20 cm 以上。",
            "电缆超过 1000 m 时降低波特率。",
        ),
    ),
    Fault.GARBLED: Advice(
        "有应答，但任何参数下都无法读懂。",
        (
            "设备可能使用少见的波特率或校验：看设备标签。",
            "终端电阻：两端 A、B 之间各 120 Ω；长电缆没有它就会乱码。",
            "逐个把从站从总线上断开：一个损坏的收发器会干扰所有设备。",
        ),
    ),
    Fault.DOUBLE_UNIT: Advice(
        "只有从站 {units} 出现乱码：有两台设备用同一站号，或其收发器损坏。",
        ("断开其中一台再测。", "给其中一台改一个空闲站号：`commission address`。"),
    ),
    Fault.SECOND_MASTER: Advice(
        "总线上还有别的主站在询问。", ("一条总线只能有一个主站。断开另一个：旧控制器、触摸屏或第二台网关。",)
    ),
    Fault.WRONG_UNIT: Advice(
        "应答的不是被询问的从站（{units}）。", ("应答迟到或有第二个主站：每次只接一台设备再测。",)
    ),
    Fault.REGISTER_MAP: Advice(
        "从站 {units} 有应答，但没有设备模板中的寄存器。", ("接线正常。请为该设备选择正确的模板，或改正寄存器表：",)
    ),
    Fault.UNITS_SILENT: Advice(
        "总线正常，但从站 {units} 没有应答。",
        ("检查这些灯的供电以及到总线的支线。", "核对站号：`lamplighter-gateway scan`。"),
    ),
    Fault.ECHO: Advice(
        "转换器会把发出的内容原样返回（回波）。", ("关闭回波（两线制、半双工）；否则网关分不清自己的话和应答。",)
    ),
}
ADVICE: Final[Mapping[Language, Mapping[Fault, Advice]]] = {Language.EN: _EN, Language.ZH: _ZH}


def advice(finding: Finding, language: Language) -> Advice:
    """What to tell about a finding, filled in."""
    its = ADVICE[language][finding.fault]
    setting = finding.setting
    values = {
        "units": units_text(finding.units),
        "setting": str(setting or ""),
        "timeout_s": f"{finding.timeout_s:g}" if finding.timeout_s is not None else "",
        "yaml": f"baud: {setting.baud}, parity: {setting.parity.value}, stop_bits: {setting.stop_bits}"
        if setting
        else "",
    }
    return Advice(its.title.format(**values), tuple(step.format(**values) for step in its.steps))
